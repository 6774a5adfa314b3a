"""What staff change in the admin is in the log, with before and after; how the log is listed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin_log import LoggedChangesMixin
from accounts.events import Event
from accounts.models import UserEventLog
from billing.models import TierPrice
from orgs.models import Tier
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


def newest(event: Event) -> UserEventLog:
    return UserEventLog.objects.filter(event=event).latest("pk")


def save(client: Client, page: str, **fields: Any) -> None:
    answer = client.post(page, fields)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_a_persons_change_names_before_and_after_but_no_name(cast: Cast, dana: Client) -> None:
    page = reverse("admin:accounts_user_change", args=[cast.bob.pk])
    save(dana, page, name="Robert Brown")
    line = newest(Event.ADMIN_CHANGED)
    assert (line.user, line.actor, line.organization) == (cast.bob, cast.dana, cast.acme)
    assert line.data == {
        "model": "accounts.user",
        "key": cast.bob.pk,
        "changes": {"name": None},
    }
    assert newest(Event.PERSON_DEACTIVATED).user == cast.bob
    assert line.ip_address == "127.0.0.1"


def test_an_organizations_change_is_on_its_own_record(cast: Cast, dana: Client) -> None:
    page = reverse("admin:orgs_organization_change", args=[cast.acme.pk])
    form = dana.get(page).context["adminform"].form
    inlines = {
        f"{each.formset.prefix}-{name}": value
        for each in dana.get(page).context["inline_admin_formsets"]
        for name, value in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0))
    }
    save(
        dana, page, **form.initial | inlines | {"slug": "acme-two", "billing_email": "a@b.example"}
    )
    line = newest(Event.ADMIN_CHANGED)
    assert line.organization == cast.acme
    assert line.data["changes"] == {"slug": ["acme", "acme-two"], "billing_email": None}


def test_prices_and_groups_are_told_with_keys(cast: Cast, dana: Client) -> None:
    pro, business = (Tier.objects.get(key=key) for key in ("pro", "business"))
    price = TierPrice.objects.create(tier=pro, stripe_price_id="price_x", interval="month")
    page = reverse("admin:billing_tierprice_change", args=[price.pk])
    form = dana.get(page).context["adminform"].form
    unset = {"trial_days": "", "amount": ""}
    save(dana, page, **form.initial | {"tier": business.pk} | unset)
    assert newest(Event.ADMIN_CHANGED).data["changes"] == {"tier": [pro.pk, business.pk]}

    look = Permission.objects.get(codename="view_organization")
    save(dana, reverse("admin:auth_group_add"), name="Support", permissions=[look.pk])
    group = Group.objects.get()
    assert newest(Event.ADMIN_ADDED).data == {
        "model": "auth.group",
        "key": group.pk,
        "changes": {"name": [None, "Support"], "permissions": [None, [look.pk]]},
    }
    dana.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})
    assert newest(Event.ADMIN_DELETED).data["key"] == group.pk


def test_what_is_saved_unchanged_leaves_no_line(cast: Cast, dana: Client) -> None:
    page = reverse("admin:accounts_user_change", args=[cast.bob.pk])
    save(dana, page, name="Bob Brown", is_active="on")
    assert not UserEventLog.objects.filter(event=Event.ADMIN_CHANGED).exists()


def test_every_form_of_the_admin_that_writes_is_logged(cast: Cast) -> None:
    request = RequestFactory().get("/")
    request.user = cast.dana
    # What these write is written by services, whose own lines say all of it.
    by_services = {"orgs.Tier", "orgs.UserRoleAssignment", "orgs.Grant"}
    writing = {
        model._meta.label
        for model, page in admin.site._registry.items()
        if not isinstance(page, LoggedChangesMixin)
        and any(
            getattr(page, f"has_{what}_permission")(request) for what in ("add", "change", "delete")
        )
    }
    assert writing == by_services


# --- The list ---------------------------------------------------------------------------------


def add_lines(number: int, **fields: Any) -> None:
    UserEventLog.objects.bulk_create(
        UserEventLog(event=Event.LOGIN, **fields) for _each in range(number)
    )


LIST = reverse("admin:accounts_usereventlog_changelist")


def test_staff_page_through_the_newest_and_go_on_to_what_is_older(cast: Cast, dana: Client) -> None:
    add_lines(1150, user=cast.bob)
    first = dana.get(LIST, {"q": "bob@"})
    assert first.context["cl"].result_count == 1000
    last_page = dana.get(LIST, {"q": "bob@", "p": "10"})
    oldest_shown = list(last_page.context["cl"].result_list)[-1]
    older = dana.get(LIST + first.context["older"])
    rows = list(older.context["cl"].queryset)
    assert rows[0].pk < oldest_shown.pk
    lines = UserEventLog.objects.filter(user=cast.bob, pk__lt=oldest_shown.pk)
    assert len(rows) == lines.count()
    assert "older" not in older.context


def test_nothing_is_counted_and_no_kind_looked_for_in_the_whole_log(
    cast: Cast, dana: Client
) -> None:
    for query in ({}, {"kind": "login"}, {"days": "7"}, {"q": "bob"}, {"days": "no", "kind": "no"}):
        with CaptureQueriesContext(connection) as made:
            assert dana.get(LIST, query).status_code == 200
        asked = [each["sql"] for each in made.captured_queries if "eventlog" in each["sql"]]
        assert asked
        assert not any("COUNT" in sql or "DISTINCT" in sql for sql in asked)


def test_filters_find_by_kind_and_time(cast: Cast, dana: Client) -> None:
    UserEventLog.objects.create(event=Event.LOCK_BEGAN, organization=cast.acme)
    found = dana.get(LIST, {"kind": "lock_began", "days": "1"}).context["cl"].result_list
    assert [line.event for line in found] == [Event.LOCK_BEGAN]


def test_one_line_is_shown_whole(cast: Cast, dana: Client) -> None:
    line = UserEventLog.objects.create(
        event=Event.LOGIN, user=cast.bob, ip_address="192.0.2.7", device="Firefox", request_id="r1"
    )
    page = dana.get(reverse("admin:accounts_usereventlog_change", args=[line.pk]))
    for told in ("logged in", "192.0.2.7", "Firefox", "r1"):
        assert told in page.content.decode()
