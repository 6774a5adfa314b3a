"""Lists, filters and searches read a page's worth of rows, by an index, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing.models import Movement, PayerMail, ReconcileFinding, Standing
from orgs import services
from orgs.models import Grant, Invitation, Organization, Role, UserRoleAssignment
from orgs.permissions import VIEW
from orgs.views.team import PAGE_SIZE
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.orgs.many_rows import MEMBERS, fill, plan, rows_read, statements
from tests.orgs.two_organizations import url
from tests.staff import grant, make_developer, number_of

pytestmark = pytest.mark.django_db

TEAM, ROLES = reverse("orgs:team"), reverse("orgs:roles")
IN_ORDER = 'ORDER BY "accounts_user"."name" ASC, "accounts_user"."email" ASC LIMIT'
# The admin's lists, each with what is looked for there and few are like.
LISTS: dict[type[Model], list[str]] = {
    User: ["00ab", "BOB@", "old-", "nobody@", "pERSON 00ab"],
    Organization: ["team-00ab", "00ab", "Team 1234", "person 00ab", "bob@", "cus_123", "sub_123"],
    UserRoleAssignment: ["00ab", "team-00ab"],
    Grant: ["00ab", "team-00ab"],
    Invitation: ["00ab", "team-00ab"],
    Role: ["own_00ab", "Own 1234", "team-00ab", "adm"],
    Standing: ["team-00ab", "Team 1234", "cus_123", "sub_123"],
    Movement: ["team-00ab"],
    PayerMail: ["team-00ab", "in_123"],
    ReconcileFinding: ["team-00ab"],
}
# What is chosen while typing.
CHOSEN: list[tuple[type[Model], str, type[Model]]] = [
    (Grant, "user", User),
    (Grant, "content_object", Organization),
    (UserRoleAssignment, "role", Role),
]

# A name, and what opens it.
Page = tuple[str, Callable[[], object]]


def listed(person: User, model: type[Model], query: str = "") -> Any:
    """A list of the admin, read and not rendered, which would take longer."""
    request = RequestFactory().get(f"/?{query}")
    request.user = person
    shown: Any = admin.site.get_model_admin(model).get_changelist_instance(request)
    # A list is read as it is shown.
    list(shown.result_list)
    return shown


def lists(person: User, query: str = "", models: Iterable[type[Model]] = LISTS) -> Iterator[Page]:
    for model in models:
        yield f"{model.__name__}?{query}", partial(listed, person, model, query)


def filters(person: User) -> Iterator[Page]:
    for model in LISTS:
        shown = listed(person, model)
        for each in shown.filter_specs:
            for choice in each.choices(shown):
                query = choice["query_string"].removeprefix("?")
                yield f"{model.__name__}?{query}", partial(listed, person, model, query)


def searches(person: User) -> Iterator[Page]:
    for model, terms in LISTS.items():
        for term in terms:
            yield f"{model.__name__}: {term}", partial(listed, person, model, f"q={term}")
    client, page = signed_in(person), reverse("admin:autocomplete")
    for model, field, related in CHOSEN:
        asked = {"app_label": "orgs", "model_name": model.__name__.lower(), "field_name": field}
        for term in ["", *LISTS[related]]:
            yield f"{field}: {term}", partial(client.get, page, asked | {"term": term})


def out_of(bounds: range, pages: Iterable[Page], but: str = " COUNT(*) ") -> dict[str, int]:
    """Pages whose costliest statement takes more or fewer rows from tables than that.

    But for the admin's number of all that there is.
    """
    costs = {
        name: max(rows_read(sql) for sql in statements(page) if but not in sql)
        for name, page in pages
    }
    return {name: cost for name, cost in costs.items() if cost not in bounds}


def opened(person: User, *pages: str) -> Iterator[Page]:
    for page in pages:
        yield page, partial(signed_in(person).get, page)


def of_each_role() -> list[str]:
    return [f"{TEAM}?role={role.pk}" for role in Role.objects.filter(organization=None)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plans depend on the rows.")
def test_sqlite_scans_nothing_for_a_team_and_sorts_no_list(cast: Cast) -> None:
    for _name, page in opened(cast.alice, TEAM, ROLES, *of_each_role()):
        asked = {sql: plan(sql) for sql in statements(page)}
        assert "SCAN" not in "".join(asked.values())
        for sql, how in asked.items():
            if IN_ORDER in sql:
                assert ("accounts_user_team" in how, "ORDER BY" in how) == (True, False)
    # Built-in roles come before the organizations' own, which is no index's order there.
    for _name, page in lists(cast.dana, models=LISTS.keys() - {Role}):
        (newest_first,) = [sql for sql in statements(page) if sql.endswith(" DESC")]
        assert "ORDER BY" not in plan(newest_first)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plans depend on the rows.")
def test_sqlite_finds_names_by_their_index(cast: Cast) -> None:
    for model in (User, Organization, Standing):
        ((_name, page),) = lists(cast.dana, "q=zZ", [model])
        asked = [plan(sql) for sql in statements(page) if "UNION" in sql]
        assert asked
        for how in asked:
            assert "_name_begins (name>? AND name<?)" in how


@pytest.mark.postgres
def test_pages_read_no_more_than_they_show_or_their_organization_has(cast: Cast) -> None:
    fill(cast)
    pages = opened(cast.alice, TEAM, ROLES, f"{TEAM}?q=person", *of_each_role())
    assert out_of(range(MEMBERS // 2, 2 * MEMBERS + PAGE_SIZE), pages, but="nothing") == {}
    ((_name, page),) = opened(cast.alice, TEAM)
    (people,) = [sql for sql in statements(page) if IN_ORDER in sql]
    assert rows_read(people) == PAGE_SIZE

    # A hundred lines, each of up to five rows.
    in_acme = f"organization__id__exact={cast.acme.pk}"
    assert out_of(range(100, 600), lists(cast.dana)) == {}
    assert out_of(range(100, 600), lists(cast.dana, in_acme, [User, UserRoleAssignment])) == {}
    assert out_of(range(600), [*filters(cast.dana), *searches(cast.dana)]) == {}
    # A calendar's year is among the filters; here are what it leads to.
    today = timezone.now().date()
    for day in (f"{today:%Y-%m}", f"{today}", "2020-02-29"):
        dated = lists(cast.dana, f"on={day}", [User, Organization, PayerMail])
        assert out_of(range(600), dated) == {}

    # One organization with a thousand people, and one of them.
    stories = [url(Organization, "change", cast.acme.pk), url(User, "change", cast.bob.pk)]
    assert out_of(range(2 * MEMBERS), opened(cast.dana, *stories), but="nothing") == {}

    helper, manager = make_developer(), make_developer()
    grant(helper, VIEW, cast.acme, by=cast.dana)
    looks = Role.objects.create(key="looks", name="Looks", kind="developer")
    looks.permissions.add(number_of(VIEW))
    services.assign_role(user=manager, role=looks, by=cast.dana, now=timezone.now())
    for person in (helper, manager):
        assert out_of(range(3 * MEMBERS), [*lists(person), *searches(person)]) == {}
    assert out_of(range(3 * MEMBERS), filters(helper)) == {}


def test_the_choices_of_filters_do_not_grow_with_organizations_and_their_roles(cast: Cast) -> None:
    offered = [name for name, _page in filters(cast.dana)]
    for number in range(3):
        team = OrganizationFactory.create()
        Role.objects.create(key=f"own{number}", name=f"Own {number}", organization=team)
    assert [name for name, _page in filters(cast.dana)] == offered
