"""Staff change tiers in the admin: what takes something away is looked at before it is saved."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from accounts.models import UserEventLog
from orgs.models import FREE_TIER_KEY, Tier, features
from orgs.tier_facts import facts_of
from orgs.tier_preview import NAMED
from tests.cast import Cast, OrganizationFactory, PersonFactory, add_member, signed_in
from tests.orgs.tiers import ACTIVITY, all_but, change, give, put_on, some, tier

pytestmark = pytest.mark.django_db

ADD = reverse("admin:orgs_tier_add")
CONFIRM = "Save this change"
TAKES = "view_activity"


@pytest.fixture
def dana(cast: Cast) -> Client:
    put_on(cast.acme)
    return signed_in(cast.dana)


def page_of(key: str = "pro") -> str:
    return reverse("admin:orgs_tier_change", args=[tier(key).pk])


def form(of: str = "pro", /, **changes: Any) -> dict[str, Any]:
    """What the page of the tier sends, with changes; what is None is not sent."""
    row = tier(of)
    values = {
        "name": row.name,
        "rank": row.rank,
        "is_offered": "on" if row.is_offered else None,
        "seat_limit": "" if row.seat_limit is None else row.seat_limit,
        "entitlements": [each.pk for each in row.entitlements.all()],
        "_save": "Save",
    } | changes
    return {name: value for name, value in values.items() if value is not None}


def without(*names: str, key: str = "pro") -> list[int]:
    return [each.pk for each in all_but(*names, key=key)]


def carried_by(shown: Any) -> dict[str, list[str]]:
    return read(shown).hidden


def confirm(client: Client, shown: Any) -> Any:
    """Send what the preview carries, as its button does."""
    return client.post(page_of(), carried_by(shown))


class Page(HTMLParser):
    """What somebody who cannot see a page goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, list[str]] = {}
        self.headings: list[int] = []
        self.ids: list[str | None] = []
        self.labelled: set[str | None] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.tables: list[str | None] = []
        self.scopes: list[str | None] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "input" and found.get("type") == "hidden":
            self.hidden.setdefault(str(found["name"]), []).append(found.get("value") or "")
        elif tag in {"input", "select", "textarea"}:
            self.inputs.append(found)
        elif tag == "label":
            self.labelled.add(found.get("for"))
        elif tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append(int(tag[1]))
        elif tag == "table":
            self.tables.append(found.get("aria-labelledby"))
        elif tag == "th":
            self.scopes.append(found.get("scope"))


def read(shown: Any, since: str = "") -> Page:
    page = Page()
    text = shown.content.decode()
    page.feed(text[text.index(since) :])
    return page


def test_what_takes_nothing_away_is_saved_at_once(dana: Client, cast: Cast) -> None:
    more = [*without(), *[each.pk for each in some("create_roles")]]
    answer = dana.post(page_of(), form(name="Professional", seat_limit="", entitlements=more))
    assert answer["Location"] == reverse("admin:orgs_tier_changelist")
    row = tier()
    assert (row.name, row.seat_limit) == ("Professional", None)
    assert row.entitlements.filter(codename="create_roles").exists()
    assert UserEventLog.objects.get(event="tier_changed").actor == cast.dana


@pytest.mark.parametrize("takes", ["entitlements", "seat_limit", "is_offered"])
def test_what_takes_something_away_is_looked_at_first_and_can_be_left(
    dana: Client, takes: str
) -> None:
    Tier.objects.filter(key="pro").update(seat_limit=20)
    before = facts_of(tier())
    changes = {"entitlements": without(TAKES), "seat_limit": 1, "is_offered": None}
    shown = dana.post(page_of(), form(name="Professional", **{takes: changes[takes]}))
    assert shown.status_code == 200
    assert CONFIRM in shown.content.decode()
    assert facts_of(tier()) == before
    # Back: the page of the tier, as it was.
    assert 'value="Pro"' in dana.get(page_of()).content.decode()
    assert facts_of(tier()) == before
    assert not UserEventLog.objects.filter(event="tier_changed").exists()


def test_the_preview_names_who_loses_what(dana: Client, cast: Cast) -> None:
    with_role, with_grant, _without = (add_member(cast.acme) for _ in range(3))
    give(with_role, "member", cast.alice)
    assign_perm(ACTIVITY, with_grant, cast.acme)
    shown = dana.post(
        page_of(), form(entitlements=without(TAKES), seat_limit=2, is_offered=None)
    ).content.decode()
    text = " ".join(shown.split())
    organization = reverse("admin:orgs_organization_change", args=[cast.acme.pk])
    for words in (
        "1 organization has this tier.",
        f'<a href="{organization}">Acme</a>',
        '<th scope="row">See the activity log</th> <td>1</td> <td>3</td>',
        "From as many as they like to 2.",
        "1 organization has more people than that.",
        "Nobody is removed, but nobody new gets in",
        f'<th scope="row"><a href="{organization}">Acme</a></th> <td>5</td>',
        "1 organization has it and keeps it.",
    ):
        assert words in text


def test_confirmed_it_is_saved_with_everything_that_was_posted_and_told(
    dana: Client, cast: Cast
) -> None:
    wanted = form(
        name="Professional",
        rank=11,
        seat_limit=5,
        is_offered=None,
        entitlements=without(TAKES),
        _save=None,
        _continue="Save and continue editing",
    )
    answer = confirm(dana, dana.post(page_of(), wanted))
    # The button that was pressed is carried too.
    assert answer["Location"] == page_of()
    row = tier()
    assert (row.name, row.rank, row.seat_limit, row.is_offered) == ("Professional", 11, 5, False)
    assert not row.entitlements.filter(codename=TAKES).exists()
    line = UserEventLog.objects.get(event="tier_changed")
    assert line.actor == cast.dana
    assert TAKES in line.data["before"]["entitlements"]
    assert TAKES not in line.data["after"]["entitlements"]


def test_a_tier_that_changed_meanwhile_is_shown_anew_and_not_saved(
    dana: Client, cast: Cast
) -> None:
    shown = dana.post(page_of(), form(entitlements=without(TAKES)))
    change(cast.dana, seat_limit=7)
    between = facts_of(tier())
    again = confirm(dana, shown)
    text = again.content.decode()
    assert "The tier has changed in the meantime." in text
    assert CONFIRM in text
    assert facts_of(tier()) == between
    # What is confirmed now is what was looked at now.
    assert carried_by(again)["seen"] == [between.mark]
    confirm(dana, again)
    assert facts_of(tier()).seat_limit is None
    assert TAKES not in facts_of(tier()).entitlements


def test_when_somebody_else_took_it_already_that_is_said(dana: Client, cast: Cast) -> None:
    shown = dana.post(page_of(), form(entitlements=without(TAKES)))
    change(cast.dana, entitlements=all_but(TAKES))
    again = confirm(dana, shown).content.decode()
    assert "The tier has changed in the meantime." in again
    assert "nothing is taken away any more" in again


def test_without_the_free_tier_the_preview_does_not_promise_that_it_stays(dana: Client) -> None:
    shown = dana.post(page_of(FREE_TIER_KEY), form(FREE_TIER_KEY, is_offered=None, entitlements=[]))
    text = shown.content.decode()
    assert "Whoever pays nothing is locked" in text
    assert "keeps it" not in text
    assert "While an organization of another tier is locked" in text


def test_a_tier_is_made_here(dana: Client, cast: Cast) -> None:
    answer = dana.post(ADD, form(key="team", name="Team", _save=None, _continue="Save"))
    assert answer["Location"] == page_of("team")
    assert facts_of(tier("team")).entitlements == facts_of(tier()).entitlements
    assert UserEventLog.objects.get(event="tier_created").actor == cast.dana


def test_a_key_is_never_changed(dana: Client) -> None:
    dana.post(page_of(), form(key="gone", name="Professional"))
    assert tier("pro").name == "Professional"


def test_only_features_can_be_chosen(dana: Client) -> None:
    text = dana.get(page_of()).content.decode()
    offered = text.count('name="entitlements"')
    assert offered == features().count()
    stranger = Permission.objects.get(codename="change_tier")
    answer = dana.post(page_of(), form(entitlements=[*without(), stranger.pk]))
    assert "is not one of the available choices" in answer.content.decode()
    assert not tier().entitlements.filter(pk=stranger.pk).exists()


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_staff_without_the_permission_change_nothing(dana: Client, is_confirmed: bool) -> None:
    staff = PersonFactory.create(user_type="developer", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_tier"))
    client, before = signed_in(staff), facts_of(tier())
    assert client.get(page_of()).status_code == 200
    shown = dana.post(page_of(), form(entitlements=without(TAKES)))
    sent: Any = carried_by(shown) if is_confirmed else form(entitlements=without(TAKES))
    assert client.post(page_of(), sent).status_code == 403
    assert client.post(ADD, form(key="team")).status_code == 403
    assert facts_of(tier()) == before


def test_organizations_are_named_to_those_who_may_see_them(dana: Client) -> None:
    staff = PersonFactory.create(user_type="developer", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="change_tier"))
    sent = form(entitlements=without(TAKES), seat_limit=1)
    for client, is_named in ((dana, True), (signed_in(staff), False)):
        text = client.post(page_of(), sent).content.decode()
        assert "1 organization has this tier." in text
        assert ("Acme" in text) is is_named


def test_form_and_preview_read_well_without_seeing_them(dana: Client) -> None:
    for shown in (dana.get(page_of()), dana.post(page_of(), form(entitlements=without(TAKES)))):
        page = read(shown)
        assert page.headings.count(1) == 1
        steps = zip(page.headings, page.headings[1:], strict=False)
        assert all(following - heading <= 1 for heading, following in steps)
        assert len(page.ids) == len(set(page.ids))
        for each in page.inputs:
            names_itself = each.get("type") == "submit" or "aria-label" in each
            assert names_itself or each.get("id") in page.labelled, each


def test_the_tables_of_the_preview_have_names_and_headers(dana: Client) -> None:
    shown = dana.post(page_of(), form(entitlements=without(TAKES), seat_limit=1))
    page = read(shown, since='<div id="content-main"')
    assert page.tables == ["taken", "seats"]
    assert set(page.tables) <= set(page.ids)
    assert page.scopes == ["col", "col", "col", "row", "col", "col", "row"]


def test_the_preview_costs_the_same_with_more_organizations(
    dana: Client, django_assert_num_queries: Any
) -> None:
    sent = form(entitlements=without(TAKES), seat_limit=1, is_offered=None)
    statements = 18
    with django_assert_num_queries(statements):
        dana.post(page_of(), sent)
    for _ in range(NAMED + 2):
        organization = OrganizationFactory.create()
        add_member(organization)
        put_on(organization)
    with django_assert_num_queries(statements):
        text = dana.post(page_of(), sent).content.decode()
    assert "These are the first of them, by name." in text
    assert "These are the largest." in text
