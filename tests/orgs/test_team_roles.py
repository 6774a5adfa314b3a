"""The team page's roles, and how a refusal reads for people, scripts and htmx."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.views import View

from accounts.models import User
from orgs import refusals, services
from orgs.decorators import PermissionRequiredMixin
from orgs.models import Organization, Role, Tier
from orgs.permissions import Leg, Verdict
from tests.cast import Cast, OrganizationFactory, lock, signed_in

pytestmark = pytest.mark.django_db


def role(key: str) -> Role:
    return Role.objects.get(key=key, organization=None)


def give(person: User, key: str, by: User) -> None:
    services.assign_role(user=person, role=role(key), by=by, now=timezone.now())


def test_the_owner_gives_and_takes_roles_on_the_team_page(cast: Cast) -> None:
    client = signed_in(cast.alice)
    chosen = {"person": cast.bob.pk, "role": role("billing_viewer").pk}
    page = client.post(reverse("orgs:assign_role"), chosen, follow=True)
    assert "Billing viewer" in page.content.decode()
    assert cast.bob.role_assignments.active().get().role == role("billing_viewer")
    client.post(reverse("orgs:revoke_role"), chosen)
    assert not cast.bob.role_assignments.active().exists()


def test_a_double_click_changes_nothing_more(cast: Cast) -> None:
    chosen = {"person": cast.bob.pk, "role": role("member").pk}
    for _ in range(2):
        answer = signed_in(cast.alice).post(reverse("orgs:assign_role"), chosen)
        assert answer.status_code == 302
    assert cast.bob.role_assignments.active().count() == 1


def test_an_admin_may_do_what_the_role_says_and_sees_the_forms(cast: Cast) -> None:
    give(cast.bob, "admin", cast.alice)
    client = signed_in(cast.bob)
    assert reverse("orgs:invite") in client.get(reverse("orgs:team")).content.decode()
    answer = client.post(reverse("orgs:invite"), {"email": "eve@example.com"})
    assert answer.status_code == 302
    assert cast.acme.invitations.filter(email="eve@example.com", invited_by=cast.bob).exists()


def test_without_the_permission_there_are_no_forms_and_a_post_is_refused(cast: Cast) -> None:
    client = signed_in(cast.bob)
    text = client.get(reverse("orgs:team")).content.decode()
    assert reverse("orgs:invite") not in text
    assert reverse("orgs:assign_role") not in text
    assert "Your role does not include inviting people. Ask Alice Adams" in text
    answer = client.post(
        reverse("orgs:assign_role"), {"person": cast.bob.pk, "role": role("admin").pk}
    )
    assert answer.status_code == 403
    assert "Your role does not include this" in answer.content.decode()
    assert not cast.bob.role_assignments.exists()


@pytest.mark.parametrize("who", ["person", "role"])
def test_nobody_and_nothing_of_another_organization_can_be_named(cast: Cast, who: str) -> None:
    other = OrganizationFactory.create()
    theirs = Role.objects.create(key="theirs", name="Theirs", organization=other)
    chosen = {"person": cast.bob.pk, "role": role("member").pk}
    chosen[who] = {"person": other.owner.pk, "role": theirs.pk}[who]
    answer = signed_in(cast.alice).post(reverse("orgs:assign_role"), chosen)
    assert answer.status_code == 404


def test_who_gives_more_than_they_hold_is_told(cast: Cast) -> None:
    some = Role.objects.create(key="some", name="Some", organization=cast.acme)
    some.permissions.set(role("admin").permissions.filter(codename="assign_roles"))
    services.assign_role(user=cast.bob, role=some, by=cast.alice, now=timezone.now())
    answer = signed_in(cast.bob).post(
        reverse("orgs:assign_role"),
        {"person": cast.bob.pk, "role": role("admin").pk},
        follow=True,
    )
    assert "it holds more than your own roles do" in answer.content.decode()


class Secret(PermissionRequiredMixin, View):
    permission_required = "orgs.create_roles"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret")


def ask(person: User, **headers: str) -> Any:
    request = RequestFactory(headers=headers).get("/secret/")
    request.user = User.objects.get_queryset().with_access().get(pk=person.pk)
    return Secret.as_view()(request)


def test_a_tier_that_lacks_it_is_named_with_the_one_that_has_it(cast: Cast) -> None:
    answer = ask(cast.alice)
    assert answer.status_code == 403
    text = answer.content.decode()
    assert "This needs the plan Business" in text
    assert reverse("billing:overview") in text
    give(cast.bob, "admin", cast.alice)
    text = ask(cast.bob).content.decode()
    assert "Ask Alice Adams to change your plan." in text
    assert reverse("billing:overview") not in text.split("<main")[1]


def test_the_same_as_json_and_for_htmx_with_a_stable_code(cast: Cast) -> None:
    answer = ask(cast.bob, accept="application/json")
    assert answer.status_code == 403
    assert b'"code": "no_role"' in answer.content
    fragment = ask(cast.bob, **{"hx-request": "true"}).content.decode()
    assert "Your role does not include this" in fragment
    assert "<html" not in fragment


def test_who_may_gets_in(cast: Cast) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    assert ask(cast.alice).content == b"secret"


@pytest.mark.parametrize(
    ("leg", "words"),
    [
        (Leg.LOCKED, "Billing is past due"),
        (Leg.CLOSED, "This organization is closed"),
        (Leg.NO_ROLE, "Your role does not include this"),
    ],
    ids=["locked", "closed", "no role"],
)
def test_each_refusal_has_its_words_and_its_code(cast: Cast, leg: Leg, words: str) -> None:
    refusal = refusals.refusal_for(Verdict(False, leg), "orgs.x", cast.acme, is_owner=False)
    assert (refusal.code, refusal.title) == (leg.value, words)
    assert "Alice Adams" in refusal.message


def test_a_plan_that_nobody_offers_is_not_promised(cast: Cast) -> None:
    Tier.objects.filter(key="business").update(is_offered=False)
    assert "No plan on offer does." in ask(cast.alice).content.decode()


def test_templates_ask_the_same_question(cast: Cast) -> None:
    template = Template(
        '{% load permissions %}{% may person "orgs.invite_members" team as ok %}{{ ok }}'
    )
    for person, expected in ((cast.alice, "True"), (cast.bob, "False"), (cast.charlie, "False")):
        assert template.render(Context({"person": person, "team": cast.acme})) == expected


def test_a_locked_owner_keeps_what_free_entitles(cast: Cast) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    lock(cast.acme)
    text = ask(User.objects.get(pk=cast.alice.pk)).content.decode()
    assert "Billing is past due" in text
    assert signed_in(cast.alice).get(reverse("orgs:team")).status_code == 200
