"""Pages that the tables of the matrix do not meet: of plans, second factors and invitations, under
an impersonation, and the words of refusals."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Invoice
from pytest_django import Settings

from billing.models import TierPrice
from orgs import emails, services
from orgs.models import Invitation, Organization, Role, SoftDeletion
from tests.cast import PASSWORD, Cast, PersonFactory, add_member, lock, signed_in
from tests.impersonating import REASON, impersonating
from tests.language.data import OURS
from tests.language.reading import Answers, asking, english
from tests.language.visible import LETTER
from tests.passkeys import Device, new_client
from tests.payer import Payer
from tests.second_factor import log_in, set_up_as_a_person, set_up_second_factor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pseudo_locale")]


def price(tier: str, interval: str) -> dict[str, Any]:
    return {"price": TierPrice.objects.get(tier__key=tier, interval=interval).pk}


def test_a_plan_from_its_choice_to_its_end(payer: Payer, cast: Cast, settings: Settings) -> None:
    client = asking(signed_in(cast.alice))
    overview = reverse("billing:overview")
    answers: Answers = [("none yet", client.get(overview))]
    payer.subscribe("business")
    returned = client.get(reverse("billing:checkout_return"), follow=True)
    answers += [("back from Stripe", returned), ("paid", client.get(overview))]
    for tier, interval in (("pro", "month"), ("business", "year")):
        shown = client.get(reverse("billing:change_plan"), price(tier, interval))
        answers.append((f"change to {tier}", shown))
    for name in ("billing:cancel", "billing:resume"):
        answers.append((name, client.post(reverse(name), follow=True)))
    settings.STRIPE_API_HOST = "http://127.0.0.1:1"
    answers.append(("Stripe is down", client.post(reverse("billing:portal"))))
    assert answers[-1][1].status_code == 503
    numbers = Invoice.objects.values_list("stripe_data__number", flat=True)
    stripes = ["Visa", *lines_of(answers), *numbers]
    assert english(answers, *stripes) == {}


def lines_of(answers: Answers) -> list[str]:
    """What Stripe calls the lines of an invoice, in a language that it chooses."""
    previews = [answer.context.get("preview") for _name, answer in answers if answer.context]
    return [description for each in previews if each for description, _amount in each.lines]


def test_second_factors_from_the_first_to_the_last(cast: Cast) -> None:
    client = asking(new_client())
    client.post(reverse("account_login"), {"login": "bob@example.com", "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answers: Answers = [("app", client.get(reverse("mfa_activate_totp")))]
    answers.append(("wrong", client.post(reverse("mfa_activate_totp"), {"code": "000000"})))
    phone = Device()
    answers.append(("passkey", phone.register(client)))
    key = Authenticator.objects.get(user=cast.bob, type=Authenticator.Type.WEBAUTHN)
    for name, arguments in (
        ("mfa_list_webauthn", []),
        ("mfa_edit_webauthn", [key.pk]),
        ("mfa_remove_webauthn", [key.pk]),
        ("mfa_reauthenticate_webauthn", []),
        ("mfa_view_recovery_codes", []),
        ("mfa_generate_recovery_codes", []),
        ("mfa_index", []),
        ("accounts:account", []),
    ):
        answers.append((name, client.get(reverse(name, args=arguments))))
    codes = [code for _name, page in answers for code in words_of(page, "unused_codes")]
    secret = answers[0][1].context["form"].secret
    client = asking(log_in(cast.alice, set_up_second_factor(cast.alice)))
    asked = asking(Client())
    asked.post(reverse("account_login"), {"login": "alice@example.com", "password": PASSWORD})
    answers.append(("asked", asked.get(reverse("mfa_authenticate"))))
    answers.append(("wrong", asked.post(reverse("mfa_authenticate"), {"code": "1"})))
    answers.append(("off", client.get(reverse("mfa_deactivate_totp"))))
    assert english(answers, "Phone", *codes, secret, settings.MFA_TOTP_ISSUER) == {}


@override_settings(SECOND_FACTOR_NEEDED_BY="everybody")
def test_where_everybody_needs_a_second_factor(cast: Cast) -> None:
    client = asking(log_in(cast.bob))
    answers: Answers = [("led", client.get(reverse("home"), follow=True))]
    codes = set_up_as_a_person(client)
    answers.append(("codes", codes))
    assert english(answers, *words_of(codes, "unused_codes")) == {}


def words_of(page: Any, name: str) -> list[str]:
    return list((page.context or {}).get(name) or [])


def test_signing_up_to_the_code(db: None) -> None:
    client = asking(Client())
    form = {"name": "Eve", "organization": "Zoo", "email": "eve@example.com"}
    answers: Answers = [
        (
            "sent",
            client.post(reverse("account_signup"), form | {"password1": PASSWORD}, follow=True),
        ),
        ("wrong", client.post(reverse("account_email_verification_sent"), {"code": "ABC"})),
    ]
    assert english(answers) == {}


def test_an_invitation_whatever_became_of_it(cast: Cast) -> None:
    alice, now = cast.alice, timezone.now()
    eve = PersonFactory.create(email="eve@example.com")
    offer = services.invite(organization=cast.acme, email="eve@example.com", by=alice, now=now)
    link = reverse("orgs:invitation", args=[emails.invitation_token(offer)])
    hers, visitor = asking(signed_in(eve)), asking(Client())
    answers: Answers = [("log in", visitor.get(link)), ("accept", hers.get(link))]
    lock(cast.acme)
    answers += [("waits", visitor.get(link)), ("theirs waits", hers.get(link))]
    Organization.objects.update(locked_from=None)
    own = services.found_organization(name="Own", owner=eve)
    hers = asking(signed_in(eve))
    answers += [("owns", hers.get(link)), ("not sure", hers.post(link))]
    add_member(own)
    answers += [("not alone", hers.get(link)), ("refused", hers.post(link))]
    Invitation.objects.update(expires_at=now)
    answers.append(("closed", hers.get(link)))
    assert english(answers) == {}


def test_the_way_back_when_it_is_over(cast: Cast) -> None:
    deletion = services.delete_own_account(user=cast.bob, now=timezone.now())
    back = reverse("orgs:come_back", args=[emails.come_back_token(deletion)])
    client = asking(Client())
    answers: Answers = [("wrong", client.post(back, {"password": "wrong"}))]
    done = client.post(back, {"password": PASSWORD}, follow=True)
    answers += [("done", done), ("is back", client.get(back))]
    SoftDeletion.objects.update(restored_at=None)
    answers.append(("over", client.get(back)))
    assert english(answers) == {}


def test_under_an_impersonation(cast: Cast) -> None:
    client = asking(impersonating(cast.dana, cast.alice))
    answers: Answers = [
        ("home", client.get(reverse("home"))),
        ("refused", client.post(reverse("orgs:invite"), {"email": "eve@example.com"})),
    ]
    assert english(answers, REASON) == {}


def test_somebody_who_is_deleted_in_the_admin(cast: Cast) -> None:
    services.assign_role(
        user=cast.bob,
        role=Role.objects.get(key="member", organization=None),
        by=cast.alice,
        now=timezone.now(),
    )
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    client = asking(signed_in(cast.dana))
    answers: Answers = [
        (page, client.get(reverse(f"admin:accounts_user_{page}", args=[cast.bob.pk])))
        for page in ("change", "restore", "erase")
    ]
    assert english(answers, "True", "False") == {}


def exceptions() -> list[type[Exception]]:
    """Those of ours that say something to people."""
    found = []
    for app in sorted(OURS):
        for module in walk_packages(import_module(app).__path__, f"{app}."):
            if "migrations" not in module.name and "wsgi" not in module.name:
                members = vars(import_module(module.name)).values()
                found += [
                    each
                    for each in members
                    if inspect.isclass(each)
                    and issubclass(each, Exception)
                    and each.__module__ == module.name
                    and "__str__" in vars(each)
                    and each.__init__ is Exception.__init__
                ]
    return found


@pytest.mark.parametrize("refusal", exceptions(), ids=lambda each: each.__name__)
def test_what_a_refusal_says(refusal: type[Exception]) -> None:
    assert not LETTER.search(str(refusal()))
