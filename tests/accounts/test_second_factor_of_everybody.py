"""SECOND_FACTOR_NEEDED_BY=everybody: without a second factor, nothing opens but its setting up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from config.urls import urlpatterns as product_urls
from orgs import emails, services
from orgs.models import Invitation
from tests.cast import PASSWORD, Cast, lock, signed_in
from tests.impersonating import impersonating, stop, who_is
from tests.kept import put_back
from tests.matrix import PAGES, Scene, make_scene, names_of, outcome, undone
from tests.passkeys import Device, new_client
from tests.second_factor import log_in, prove, set_up_as_a_person, set_up_second_factor
from tests.test_matrix import NOT_A_PAGE, THIRD_PARTY, address, read

pytestmark = pytest.mark.django_db

WORDS = "Everybody here needs a second factor."
# What stays open to those who have none; every other page, a new one too, is closed to them.
SETTING_UP = {
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "account_email",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}
PROOFS = {"account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
WAYS_OUT = {
    "account_logout",
    "impersonation:stop",
    "orgs:leave",
    "orgs:leave_from_outside",
    "accounts:export",
    "accounts:export_from_outside",
    "orgs:delete_account",
    "orgs:delete_from_outside",
}
OPEN = SETTING_UP | PROOFS | WAYS_OUT
KINDS = ["of none", "outsider", "member", "role admin", "owner", "developer", "staff"]


@pytest.fixture(autouse=True)
def needed(settings: Settings) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "everybody"


@pytest.fixture
def scene(needed: None) -> Scene:
    return put_back(make_scene)


def is_led(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer.headers["Location"] == reverse("mfa_index"))


@contextmanager
def nothing_written() -> Iterator[None]:
    """Nothing is asked but for the session and its person, and nothing written."""
    with CaptureQueriesContext(connection) as captured:
        yield
    statements = [each["sql"] for each in captured.captured_queries]
    assert [each.split()[0] for each in statements] == ["SELECT", "SELECT"], statements


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_of_ours_leads_to_setting_it_up(scene: Scene, kind: str) -> None:
    client = scene.client(kind)
    found = {}
    for page in PAGES:
        with undone(client):
            found[page.key] = is_led(page.open(client, scene))
    assert found == {page.key: page.name not in OPEN for page in PAGES}


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_that_is_filled_in_well_does_nothing(scene: Scene, kind: str) -> None:
    client = scene.client(kind)
    closed = [page for page in PAGES if page.method == "POST" and page.name not in OPEN]
    forms = [(reverse(page.name, args=page.arguments(scene)), page.data(scene)) for page in closed]
    for url, form in forms:
        with nothing_written():
            assert is_led(client.post(url, form)), url


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_so_does_every_page_of_libraries(cast: Cast, method: str) -> None:
    client = signed_in(cast.bob)
    names = read(THIRD_PARTY).keys()
    assert names >= SETTING_UP | PROOFS
    found = {}
    for name in names:
        with undone(client):
            found[name] = is_led(client.generic(method, address(name)))
    # With nothing that waits to be confirmed, that page leads away by itself.
    assert found == {name: name not in OPEN for name in names}


def test_and_the_admin(cast: Cast) -> None:
    client = signed_in(cast.dana)
    names = {name for name in names_of() if name.startswith("admin:")}
    assert len(names) > 100
    assert {name for name in names if not is_led(client.get(address(name)))} == set()
    assert {name for name in names if not is_led(client.post(address(name)))} == set()


def new_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("It did something.")


urlpatterns = [*product_urls, path("new/", new_page), path("newer/", new_page, name="newer")]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("url", ["/new/", "/newer/"])
def test_a_new_page_does_too(cast: Cast, url: str) -> None:
    client = signed_in(cast.bob)
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
        assert is_led(client.generic(method, url)), method
    assert Client().get(url).status_code == 200


def test_all_that_is_open_is_there() -> None:
    assert names_of() - NOT_A_PAGE >= OPEN


def test_the_page_says_why_and_what_to_do(cast: Cast) -> None:
    client = signed_in(cast.bob)
    answer = client.get(reverse("orgs:team"), follow=True)
    assert WORDS in answer.content.decode()
    # Also to those who load it again.
    assert WORDS in client.get(reverse("mfa_index")).content.decode()


@pytest.mark.parametrize("page", ["mfa_index", "account_reauthenticate", "account_email"])
def test_nothing_on_the_way_there_leads_back(cast: Cast, page: str) -> None:
    lock(cast.acme)
    client = signed_in(cast.alice)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    offered = re.findall(r'(?:href|action)="(/[^"]*)"', client.get(reverse(page)).content.decode())
    pages = {each for each in offered if not each.startswith("/static/")}
    # The name of the product, as on the lock screen; and the link that keeps the address.
    pages -= {reverse("home"), reverse("accounts:account")}
    assert reverse("account_logout") in pages
    assert {each for each in pages if is_led(client.get(each))} == set()


def test_who_has_one_is_told_of_none(cast: Cast) -> None:
    page = prove(cast.bob).get(reverse("mfa_index")).content.decode()
    assert WORDS not in page
    assert reverse("orgs:team") in page


def test_an_htmx_request_does_nothing_and_leads_there(cast: Cast) -> None:
    before = Invitation.objects.count()
    form = {"email": "dave@example.com"}
    answer = signed_in(cast.alice).post(
        reverse("orgs:invite"), form, headers={"HX-Request": "true"}, follow=True
    )
    assert answer.redirect_chain == [(reverse("mfa_index"), 302)]
    assert Invitation.objects.count() == before


def test_visitors_see_what_visitors_see(cast: Cast) -> None:
    for page in ("home", "account_login", "account_signup", "account_reset_password"):
        assert Client().get(reverse(page)).status_code == 200


def test_whoever_is_led_is_not_active(cast: Cast) -> None:
    User.objects.update(last_active=None)
    signed_in(cast.bob).get(reverse("home"))
    cast.bob.refresh_from_db()
    assert cast.bob.last_active is None


def test_a_locked_member_sees_the_lock_screen(scene: Scene) -> None:
    lock(scene.cast.acme)
    client = scene.client("member")
    for page in ("home", "orgs:team", "mfa_index", "mfa_activate_totp"):
        assert outcome(client.get(reverse(page))) == "LOCK", page
    assert outcome(client.get(reverse("orgs:leave"))) == "ok"


@pytest.mark.parametrize("kind", ["owner", "developer"])
def test_whom_the_lock_lets_in_is_led(scene: Scene, kind: str) -> None:
    lock(scene.cast.acme)
    assert is_led(scene.client(kind).get(reverse("billing:overview")))


def test_the_owner_of_a_locked_organization_gets_in_with_one(cast: Cast) -> None:
    lock(cast.acme)
    answer = prove(cast.alice).get(reverse("billing:overview"))
    assert answer.status_code == 200
    assert "Update payment info" in answer.content.decode()


def test_an_impersonation_asks_who_is_behind_it(cast: Cast) -> None:
    client = impersonating(cast.dana, cast.bob)
    assert client.get(reverse("home")).status_code == 200
    Authenticator.objects.filter(user=cast.dana).delete()
    set_up_second_factor(cast.bob)
    assert is_led(client.get(reverse("home")))
    stop(client)
    assert who_is(client) == cast.dana.pk
    assert is_led(client.get(reverse("home")))


@pytest.mark.parametrize("page", ["home", "orgs:team", "accounts:account", "billing:overview"])
def test_it_adds_no_statement(cast: Cast, settings: Settings, page: str) -> None:
    client = prove(cast.alice)
    client.get(reverse(page))
    counts = set()
    for needed_by in ("nobody", "staff", "everybody"):
        settings.SECOND_FACTOR_NEEDED_BY = needed_by
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(page)).status_code == 200
        counts.add(len(captured))
    assert len(counts) == 1


def test_an_app_opens_everything_and_leads_to_what_was_asked_for(cast: Cast) -> None:
    client = log_in(cast.bob)
    wanted = f"{reverse('orgs:team')}?q=bob&next=https://evil.example.com/"
    client.get(wanted, follow=True)
    codes = set_up_as_a_person(client)
    assert codes.redirect_chain[-1][0] == reverse("mfa_view_recovery_codes")
    assert link_onward(codes) == wanted
    assert client.get(wanted).status_code == 200
    # Once there, it is no longer wanted.
    assert link_onward(client.get(reverse("mfa_view_recovery_codes"))) is None
    assert client.get(reverse("home")).status_code == 200


def link_onward(answer: Any) -> str | None:
    found = re.search(r'<a href="([^"]*)">Go on', answer.content.decode())
    return found[1].replace("&amp;", "&") if found else None


def test_what_a_form_was_sent_to_is_not_gone_on_to(cast: Cast) -> None:
    client = log_in(cast.bob)
    client.post(reverse("orgs:invite"), {"email": "dave@example.com"})
    assert link_onward(set_up_as_a_person(client)) is None


def test_no_address_of_anothers_is_gone_on_to(cast: Cast) -> None:
    client = log_in(cast.bob)
    client.generic("GET", "/", QUERY_STRING="", PATH_INFO="//evil.example.com/")
    onward = link_onward(set_up_as_a_person(client))
    assert onward is None or re.match(r"/(?!/)", onward)


def test_a_passkey_opens_everything_and_so_does_logging_in_by_it_alone(cast: Cast) -> None:
    client, device = new_client(), Device()
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    assert is_led(client.get(reverse("home")))
    device.register(client)
    assert client.get(reverse("home")).status_code == 200
    other = new_client()
    device.log_in(other)
    assert other.get(reverse("orgs:team")).status_code == 200


def test_recovery_codes_alone_are_none(cast: Cast) -> None:
    codes = Authenticator.Type.RECOVERY_CODES
    Authenticator.objects.create(user=cast.bob, type=codes, data={"seed": "x"})
    assert is_led(signed_in(cast.bob).get(reverse("home")))


def test_anothers_is_none(cast: Cast) -> None:
    set_up_second_factor(cast.alice)
    assert is_led(signed_in(cast.bob).get(reverse("home")))


def test_switching_the_app_off_closes_everything_again(cast: Cast) -> None:
    client = prove(cast.bob)
    assert client.get(reverse("home")).status_code == 200
    answer = client.post(reverse("mfa_deactivate_totp"), follow=True)
    assert answer.redirect_chain == [(reverse("mfa_index"), 302)]
    assert WORDS in answer.content.decode()
    assert is_led(client.get(reverse("home")))
    set_up_as_a_person(client)
    assert client.get(reverse("home")).status_code == 200


def test_removing_the_last_passkey_does_so_too_and_the_last_but_one_does_not(cast: Cast) -> None:
    client = new_client()
    client.force_login(cast.bob)
    for name in ("Phone", "Key"):
        Device().register(client, name)
    for is_last in (False, True):
        key = Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).latest("pk")
        client.post(reverse("mfa_remove_webauthn", args=[key.pk]))
        assert is_led(client.get(reverse("home"))) is is_last


def by_sign_up(client: Client, cast: Cast) -> Any:
    form = {"name": "Eve", "organization_name": "Eves", "email": "eve@example.com"}
    client.post(reverse("account_signup"), form | {"password1": PASSWORD})
    code = str(mail.outbox[-1].body).split("browser:")[1].split()[0]
    return client.post(reverse("account_email_verification_sent"), {"code": code}, follow=True)


def by_invitation(client: Client, cast: Cast) -> Any:
    offer = services.invite(
        organization=cast.acme, email="eve@example.com", by=cast.alice, now=timezone.now()
    )
    page = reverse("orgs:invitation", args=[emails.invitation_token(offer)])
    return client.post(page, {"name": "Eve", "password": PASSWORD}, follow=True)


def by_password(client: Client, cast: Cast) -> Any:
    form = {"login": cast.bob.email, "password": PASSWORD}
    return client.post(reverse("account_login"), form, follow=True)


@pytest.mark.parametrize("way_in", [by_sign_up, by_invitation, by_password])
def test_every_way_in_ends_where_it_is_set_up(
    cast: Cast, way_in: Callable[[Client, Cast], Any]
) -> None:
    client = Client()
    answer = way_in(client, cast)
    assert answer.redirect_chain[-1][0] == reverse("mfa_index")
    assert WORDS in answer.content.decode()
    assert who_is(client) is not None
    set_up_as_a_person(client)
    assert client.get(reverse("orgs:team")).status_code == 200


def confirm(client: Client) -> None:
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code is not None
    client.post(reverse("account_email_verification_sent"), {"code": code[1]})


NEW = "bob@new.example.com"


def send_code(client: Client) -> None:
    client.post(reverse("account_email"), {"email": NEW, "action_send": ""})
    confirm(client)


def take_another(client: Client) -> None:
    client.post(reverse("account_email"), {"email": "bob@other.example.com", "action_add": ""})
    confirm(client)


def keep_the_old_one(client: Client) -> None:
    client.post(reverse("account_email"), {"email": NEW, "action_remove": ""})


@pytest.mark.parametrize("do", [send_code, take_another, keep_the_old_one])
def test_an_address_that_waits_to_be_confirmed_is_no_dead_end(
    cast: Cast, do: Callable[[Client], None]
) -> None:
    EmailAddress.objects.create(user=cast.bob, email=NEW, verified=False)
    client = log_in(cast.bob)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    # By allauth, to which an address that is not confirmed might be anybody's.
    assert is_led(client.get(reverse("mfa_activate_totp")))
    do(client)
    set_up_as_a_person(client)
    assert client.get(reverse("home")).status_code == 200


def test_nor_is_a_password_that_was_forgotten(cast: Cast) -> None:
    client = log_in(cast.bob)
    client.post(reverse("account_reset_password"), {"email": cast.bob.email}, follow=True)
    link = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    page = client.get(link[1], follow=True)
    assert "password1" in page.context["form"].fields
    assert reverse("mfa_index") not in [url for url, _status in page.redirect_chain]


def test_the_ways_out_are_open(cast: Cast) -> None:
    client = log_in(cast.bob)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    copy = client.post(reverse("accounts:export"))
    assert copy.headers["Content-Disposition"].startswith("attachment")
    assert outcome(client.get(reverse("orgs:delete_account"))) == "ok"
    client.post(reverse("orgs:leave"))
    cast.bob.refresh_from_db()
    assert cast.bob.organization is None
    client.post(reverse("account_logout"))
    assert who_is(client) is None
