"""What somebody who impersonates cannot do, in words, and what the log says of it. That this holds
at every URL is in tests/test_impersonation_matrix.py."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orgs.models import Invitation, OwnershipTransferRequest
from tests.cast import PASSWORD, Cast
from tests.impersonating import impersonating, lines

WORDS = "You see Holdfast as Alice Adams does, and can change nothing. Stop impersonating first."


@pytest.fixture
def dana(cast: Cast) -> Client:
    return impersonating(cast.dana, cast.alice)


def test_a_form_is_refused_on_a_page_with_the_banner_and_logged(dana: Client, cast: Cast) -> None:
    answer = dana.post(reverse("orgs:invite"), {"email": "eve@example.com"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "<h1>Not while you impersonate somebody</h1>" in page
    assert WORDS in page
    assert "Impersonated by Dana Diaz" in page
    (line,) = lines("impersonation_refused")
    assert (line.user, line.actor, line.organization) == (cast.alice, cast.dana, cast.acme)
    assert line.data == {"method": "POST", "page": "orgs:invite"}
    assert not Invitation.objects.filter(email="eve@example.com").exists()


def test_htmx_gets_a_fragment(dana: Client) -> None:
    answer = dana.post(reverse("orgs:invite"), headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert WORDS in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_callers_that_prefer_it_get_json_with_a_stable_code(dana: Client) -> None:
    answer = dana.post(reverse("billing:portal"), headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert answer.json() == {
        "error": {
            "code": "impersonating",
            "message": f"Not while you impersonate somebody. {WORDS}",
        }
    }


def test_the_persons_password_stays_even_to_somebody_who_knows_it(dana: Client, cast: Cast) -> None:
    """Logging in anew as the person would shed who is behind it."""
    new = {"oldpassword": PASSWORD, "password1": "another battery", "password2": "another battery"}
    assert dana.post(reverse("account_change_password"), new).status_code == 403
    log_in = {"login": cast.alice.email, "password": PASSWORD}
    assert dana.post(reverse("account_login"), log_in).status_code == 403
    assert dana.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 403
    assert User.objects.get(pk=cast.alice.pk).check_password(PASSWORD)


def test_ownership_is_not_asked_to_be_handed_on(dana: Client, cast: Cast) -> None:
    wish = {"to": cast.bob.pk, "reason": "Because."}
    assert dana.get(reverse("orgs:request_transfer")).status_code == 200
    assert dana.post(reverse("orgs:request_transfer"), wish).status_code == 403
    assert not OwnershipTransferRequest.objects.exists()


@pytest.mark.parametrize(
    "secret",
    ["mfa_activate_totp", "mfa_generate_recovery_codes", "mfa_view_recovery_codes"],
)
def test_what_would_show_a_secret_is_not_opened(dana: Client, secret: str) -> None:
    assert dana.get(reverse(secret)).status_code == 403
    assert "mfa.totp.secret" not in dana.session


def test_another_persons_links_are_not_opened_with_this_session(dana: Client) -> None:
    for url in (
        reverse("orgs:invitation", args=["x"]),
        reverse("orgs:leave_from_outside", args=["x"]),
        reverse("account_reset_password_from_key", args=["x", "y"]),
        reverse("billing:checkout_return"),
    ):
        assert dana.get(url).status_code == 403
