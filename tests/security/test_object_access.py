"""Every URL that names an object, opened by those whose organization it does not belong to.

The objects are Beta's; whoever opens them is nobody, of Acme, was of Beta, or is one of our own
staff who may see Acme alone. A new URL that names an object fails here until it has a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.urls import reverse

from accounts import exits
from accounts.models import User
from billing.models import PayerMail, Standing
from orgs import emails
from orgs.models import Invitation, Organization, Role
from tests.kept import Rows, put_back, rows_of_all
from tests.matrix import undone
from tests.orgs.two_organizations import OF_AN_ORGANIZATION, rows_of
from tests.second_factor import prove
from tests.security.browsers import proven
from tests.security.neighbours import World, clients_of, make_world
from tests.security.urls import every_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return put_back(make_world)


Arguments = Callable[[World], list[Any]]


def first_of(model: type[Model]) -> Arguments:
    return lambda world: [rows_of(model, "Beta")[0].pk]


def any_of(model: type[Model]) -> Arguments:
    """Of what belongs to no organization, whatever there is; or what there is not."""

    def key(world: World) -> list[Any]:
        row = model._default_manager.first()
        return [row.pk if row else 1]

    return key


def link_of_another_page(page: str) -> Arguments:
    """Somebody's own link, at the address of another page of theirs."""

    def token(world: World) -> list[Any]:
        (url,) = exits.urls_of(world.member, page)
        return [url.rstrip("/").rsplit("/", 1)[1]]

    return token


def altered(token: Callable[[World], str]) -> Arguments:
    def arguments(world: World) -> list[Any]:
        good = token(world)
        return [("A" if good[0] != "A" else "B") + good[1:]]

    return arguments


def _invitation(world: World) -> list[Any]:
    return [Invitation.objects.pending().get(organization=world.beta).pk]


def _role(world: World) -> list[Any]:
    return [Role.objects.get(organization=world.beta).pk]


def _invitation_link(world: World) -> str:
    return emails.invitation_token(Invitation.objects.get(pk=_invitation(world)[0]))


def _others_reset(world: World) -> list[Any]:
    """The key of a mail to Acme's owner, for Beta's."""
    acmes = User.objects.get(pk=world.acme.owner_id)
    return [user_pk_to_url_str(world.owner), default_token_generator.make_token(acmes)]


PRODUCT: dict[str, Arguments] = {
    "orgs:resend_invitation": _invitation,
    "orgs:revoke_invitation": _invitation,
    "orgs:remove_member": lambda world: [world.member.pk],
    "orgs:change_role": _role,
    "orgs:delete_role": _role,
    "mfa_edit_webauthn": lambda world: [world.passkey.pk],
    "mfa_remove_webauthn": lambda world: [world.passkey.pk],
}
# A link is for whoever has it; one that was altered, or is for something else, is for nobody.
LINKS: dict[str, Arguments] = {
    "orgs:invitation": altered(_invitation_link),
    "orgs:come_back": altered(lambda world: emails.come_back_token(world.deletion)),
    "orgs:leave_from_outside": link_of_another_page("orgs:delete_from_outside"),
    "orgs:delete_from_outside": link_of_another_page("orgs:leave_from_outside"),
    "accounts:export_from_outside": link_of_another_page("orgs:leave_from_outside"),
}
# What answers without telling or doing anything.
MUTE: dict[str, Arguments] = {
    "account_reset_password_from_key": _others_reset,
    "djstripe:djstripe_webhook_by_uuid": lambda world: [world.endpoint.djstripe_uuid],
}


def _of_admin() -> dict[str, Arguments]:
    rows = {
        "admin:view_on_site": lambda world: [
            ContentType.objects.get_for_model(Organization).pk,
            world.beta.pk,
        ],
        "admin:orgs_organization_transfer": first_of(Organization),
        "admin:billing_payermail_html": first_of(PayerMail),
        "admin:billing_payermail_retry": first_of(PayerMail),
        "admin:billing_standing_exempt": first_of(Standing),
        "admin:billing_standing_sync": first_of(Standing),
    }
    for page in ("impersonate", "soft-delete", "restore", "erase", "why"):
        rows[f"admin:accounts_user_{page}"] = first_of(User)
    for model in admin.site._registry:
        find = first_of(model) if model in OF_AN_ORGANIZATION else any_of(model)
        for page in ("change", "delete", "history"):
            rows[f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"] = find
    return rows


ADMIN = _of_admin()
# What is nobody's: whoever has Django's permission for them sees and changes tiers and prices.
NOBODYS = {
    f"admin:{model}_{page}"
    for model in ("orgs_tier", "billing_tierprice")
    for page in ("change", "history")
}
ROWS = PRODUCT | LINKS | MUTE | ADMIN
# What any of the forms there takes.
FORM = {
    "post": "yes",
    "name": "Mine",
    "slug": "beta",
    "email": "mine@example.com",
    "reason": "Mine.",
    "password": "a password of mine",
    "password1": "a password of mine",
    "password2": "a password of mine",
}


def test_every_url_that_names_an_object_has_a_row() -> None:
    # The admin's page of an app names no object.
    named = {url.name for url in every_url() if url.takes and url.name} - {"admin:app_list"}
    assert named == set(ROWS)


def is_refused(answer: Any) -> bool:
    """Whether it is the answer to what does not exist, to who may not, to nobody, or to a method
    that the page does not know, whatever it is about."""
    if answer.status_code == 302:
        led_to = answer.headers["Location"].split("?")[0]
        # Who belongs to no organization is led home; Django's admin leads to its front page from
        # what does not exist.
        names = ("account_login", "home", "admin:login", "admin:index")
        return led_to in {reverse(name) for name in names}
    return answer.status_code in {403, 404, 405}


def stored() -> Rows:
    rows = rows_of_all()
    del rows[Session]
    return rows


KINDS = [
    "a stranger",
    "a member of another",
    "the owner of another",
    "of no organization",
    "a former member",
    "deleted meanwhile",
    "staff of another",
]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_another_organization_is_shown_or_changed(world: World, kind: str) -> None:
    client = clients_of(world)[kind]
    before = stored()
    for name, arguments in ROWS.items():
        page = reverse(name, args=arguments(world))
        may_open = name in MUTE or (name in NOBODYS and kind.startswith("staff"))
        for answer in (client.get(page), client.post(page, FORM)):
            assert may_open or is_refused(answer), (name, answer.status_code, answer.headers)
            assert "beta" not in answer.content.decode().lower(), name
    assert stored() == before


@pytest.mark.parametrize("kind", KINDS[1:3])
def test_nor_is_what_a_form_or_a_filter_names(world: World, kind: str) -> None:
    client = clients_of(world)[kind]
    theirs = {"person": world.member.pk, "role": _role(world)[0]}
    before = stored()
    for name, form in {
        "orgs:assign_role": theirs,
        "orgs:revoke_role": theirs,
        "orgs:invite": {"email": "eve@example.com", "roles": _role(world)},
        "orgs:request_transfer": {"to": world.member.pk, "reason": "Mine."},
    }.items():
        answer = client.post(reverse(name), form)
        assert answer.status_code in {403, 404, 422}, name
        assert "beta" not in answer.content.decode().lower(), name
    for name, asked in {
        "orgs:team": {"role": _role(world)[0], "q": "beta"},
        "orgs:activity": {"person": world.member.pk, "actor": world.member.pk},
    }.items():
        page = client.get(reverse(name), asked).content.decode().lower()
        assert "@beta.example" not in page, name
        assert "of beta" not in page, name
    assert stored() == before


def test_a_link_that_others_came_by_lets_in_nobody_but_whom_it_is_for(world: World) -> None:
    page = reverse("orgs:invitation", args=[_invitation_link(world)])
    clients = clients_of(world)
    before = stored()
    for kind in KINDS[1:5]:
        for answer in (clients[kind].get(page), clients[kind].post(page, {"close_own": "on"})):
            assert answer.status_code == 409, kind
    assert stored() == before


def test_those_whose_they_are_reach_them(world: World) -> None:
    """So that the table above is about what is there."""
    owner, dana = proven(world.owner), prove(world.dana)
    for name, arguments in PRODUCT.items():
        page = reverse(name, args=arguments(world))
        with undone(owner):
            answers = (owner.get(page), owner.post(page, FORM))
        assert not all(map(is_refused, answers)), name
    for name, arguments in ADMIN.items():
        if name.endswith("_change") or "_user_" in name:
            answer = dana.get(reverse(name, args=arguments(world)))
            is_there = answer.status_code in {200, 405, 409} or "Location" in answer.headers
            assert is_there, (name, answer.status_code)
    for model in OF_AN_ORGANIZATION:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        assert dana.get(reverse(name, args=first_of(model)(world))).status_code == 200, name
