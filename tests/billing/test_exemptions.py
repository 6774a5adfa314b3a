"""Staff let an organization in whatever its billing says: until its end, and no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.events import Event
from accounts.models import UserEventLog
from billing import services
from billing.models import Standing, Status
from billing.standing import AT_ONCE, Exemption, Verdict, exempted
from orgs import clock
from orgs.models import Organization, Tier
from tests.cast import Cast, signed_in
from tests.payer import Payer
from tests.staff import allow, grant, make_developer

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MOMENTS = st.integers(-100, 100).map(lambda hours: NOW + timedelta(hours=hours))
VERDICTS = st.builds(
    Verdict,
    status=st.sampled_from(list(Status)),
    reason=st.sampled_from(["", "unpaid"]),
    tier=st.sampled_from([None, "pro"]),
    locks_at=st.none() | st.just(AT_ONCE) | MOMENTS,
)
EXEMPTIONS = st.none() | st.builds(Exemption, MOMENTS, st.sampled_from([None, "business"]))


@given(VERDICTS, EXEMPTIONS)
def test_an_exemption_only_puts_a_lock_off_and_names_a_tier(
    verdict: Verdict, exemption: Exemption | None
) -> None:
    result = exempted(verdict, exemption, NOW)
    if exemption is None or exemption.until <= NOW:
        assert result == verdict
        return
    assert (result.status, result.reason) == (verdict.status, verdict.reason)
    assert result.tier == (exemption.tier or verdict.tier)
    if verdict.locks_at is None:
        assert result.locks_at is None
    else:
        assert result.locks_at is not AT_ONCE
        assert result.locks_at is not None
        assert result.locks_at >= exemption.until
    assert exempted(result, exemption, NOW) == result


# --- With Stripe ----------------------------------------------------------------------------------


@pytest.fixture
def lapsed(payer: Payer, settings: Settings) -> Payer:
    """Acme's renewal failed: it is locked at once, by a clock of Stripe's that is the present."""
    settings.STRIPE_TEST_CLOCK = payer.sandbox.clock()
    payer.subscribe()
    payer.change_card("4000000000000341")
    payer.advance(32)
    payer.sync()
    return payer


def exempt(cast: Cast, days: float = 5, tier: str | None = None) -> None:
    services.grant_exemption(
        organization=cast.acme,
        until=clock.now() + timedelta(days=days),
        tier=Tier.objects.get(key=tier) if tier else None,
        reason="Their bank is on strike.",
        by=cast.dana,
        now=clock.now(),
    )
    services.sync_organization(cast.acme)


def met(person: Any) -> int:
    cache.clear()
    return signed_in(person).get(reverse("home")).status_code


def acme(cast: Cast) -> Organization:
    return Organization.objects.select_related("tier").get(pk=cast.acme.pk)


def told(event: Event) -> list[UserEventLog]:
    return list(UserEventLog.objects.filter(event=event))


def test_the_team_is_in_until_the_end_and_locked_from_then_on_by_the_clock(
    lapsed: Payer, cast: Cast
) -> None:
    assert met(cast.bob) == 403
    exempt(cast, days=5)
    assert met(cast.bob) == 200
    standing = Standing.objects.get(organization=cast.acme)
    assert standing.status == Status.PAST_DUE
    assert acme(cast).locked_from == standing.exempt_until
    (granted,) = told(Event.EXEMPTION_GRANTED)
    assert (granted.actor, granted.organization) == (cast.dana, cast.acme)
    assert granted.data["reason"] == "Their bank is on strike."

    lapsed.advance(6)
    # Nothing ran yet: the clock alone did it.
    assert met(cast.bob) == 403
    services.sync_due(now=clock.now())
    assert met(cast.bob) == 403
    standing.refresh_from_db()
    assert standing.exemption is None
    (ended,) = told(Event.EXEMPTION_ENDED)
    assert ended.actor is None
    assert len(told(Event.LOCK_BEGAN)) == 1


def test_no_sync_overrides_it_and_paying_makes_it_needless(lapsed: Payer, cast: Cast) -> None:
    exempt(cast)
    for _ in range(2):
        lapsed.sync()
        assert met(cast.bob) == 200
    lapsed.change_card("4242424242424242")
    lapsed.pay()
    lapsed.sync()
    assert acme(cast).locked_from is None
    lapsed.advance(6)
    services.sync_due(now=clock.now())
    assert met(cast.bob) == 200


def test_a_tier_is_named_and_ends_with_it(stripe_account: object, payer: Payer, cast: Cast) -> None:
    payer.sync()
    exempt(cast, days=2, tier="business")
    tier = acme(cast).tier
    assert tier is not None
    assert tier.key == "business"
    Standing.objects.update(exempt_until=clock.now() - timedelta(seconds=1))
    services.sync_due(now=clock.now())
    assert acme(cast).tier is None


def test_staff_end_it_early(lapsed: Payer, cast: Cast) -> None:
    exempt(cast)
    services.end_exemption(organization=cast.acme, by=cast.dana, now=clock.now())
    services.sync_organization(cast.acme)
    assert met(cast.bob) == 403
    assert [line.actor for line in told(Event.EXEMPTION_ENDED)] == [cast.dana]
    services.end_exemption(organization=cast.acme, by=cast.dana, now=clock.now())
    assert len(told(Event.EXEMPTION_ENDED)) == 1


# --- Who may, and what is refused -----------------------------------------------------------------


def grant_by(person: Any, cast: Cast, **changes: Any) -> None:
    facts = {
        "organization": cast.acme,
        "until": timezone.now() + timedelta(days=1),
        "tier": None,
        "reason": "Because.",
        "by": person,
        "now": timezone.now(),
    }
    services.grant_exemption(**facts | changes)


def test_only_staff_with_the_permission_exempt(cast: Cast) -> None:
    helper = make_developer()
    for person in (cast.alice, cast.bob, helper):
        with pytest.raises(services.MayNotExempt):
            grant_by(person, cast)
        with pytest.raises(services.MayNotExempt):
            services.end_exemption(organization=cast.acme, by=person, now=timezone.now())
    assert Standing.objects.get(organization=cast.acme).exemption is None
    assert told(Event.EXEMPTION_GRANTED) == []


def test_an_end_in_the_past_and_no_reason_are_refused(cast: Cast) -> None:
    with pytest.raises(services.EndsTooSoon):
        grant_by(cast.dana, cast, until=timezone.now())
    with pytest.raises(services.ReasonNeeded):
        grant_by(cast.dana, cast, reason="  ")
    with pytest.raises(ValidationError):
        grant_by(cast.dana, cast, reason="x" * 501)
    assert told(Event.EXEMPTION_GRANTED) == []


@pytest.mark.parametrize(
    "half",
    [
        "exempt_reason = 'Strike.'",
        "exempt_until = '2030-01-01 00:00:00+00:00'",
        "exempt_tier_id = (SELECT min(id) FROM orgs_tier)",
    ],
)
def test_half_an_exemption_is_refused_by_the_database(cast: Cast, half: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE billing_standing SET {half}")


# --- The admin ------------------------------------------------------------------------------------


def page_of(cast: Cast) -> str:
    standing = Standing.objects.get(organization=cast.acme)
    return reverse("admin:billing_standing_exempt", args=[standing.pk])


def test_staff_exempt_and_end_it_in_the_admin(cast: Cast) -> None:
    client, page = signed_in(cast.dana), page_of(cast)
    until = (timezone.now() + timedelta(days=3)).replace(microsecond=0, second=0)
    form = {"until": f"{until:%Y-%m-%dT%H:%M}", "tier": "", "reason": "Strike."}
    answer = client.post(page, form, follow=True)
    assert "Acme is exempt." in answer.content.decode()
    standing = Standing.objects.get(organization=cast.acme)
    assert standing.exempt_until == until
    assert "Strike." in client.get(page).content.decode()
    listed = client.get(reverse("admin:billing_standing_changelist"), {"exempt": "yes"})
    assert list(listed.context["cl"].result_list) == [standing]
    client.post(page, {"end": "1"})
    standing.refresh_from_db()
    assert standing.exemption is None


def test_bad_input_is_said_and_nothing_is_written(cast: Cast) -> None:
    client = signed_in(cast.dana)
    answer = client.post(page_of(cast), {"until": "2020-01-01T00:00", "tier": "", "reason": "x"})
    assert answer.status_code == 422
    assert "The end lies in the past." in answer.content.decode()
    answer = client.post(page_of(cast), {"until": "soon", "tier": "", "reason": ""})
    assert answer.status_code == 422
    assert Standing.objects.get(organization=cast.acme).exemption is None


def test_who_may_not_or_does_not_see_the_organization_finds_no_page(cast: Cast) -> None:
    helper = make_developer("billing.exempt_standing")
    client: Client = signed_in(helper)
    assert client.get(page_of(cast)).status_code == 404
    grant(helper, "orgs.view_organization", cast.acme, by=cast.dana)
    assert client.get(page_of(cast)).status_code == 200
    looker = make_developer()
    allow(looker, "orgs.view_organization")
    assert signed_in(looker).get(page_of(cast)).status_code == 403


def test_the_owner_reads_until_when_the_team_stays_in(lapsed: Payer, cast: Cast) -> None:
    exempt(cast)
    page = signed_in(cast.alice).get(reverse("home")).content.decode()
    assert "Your team stays in until" in page
    assert "Update payment info" in page
    assert "stays in until" not in signed_in(cast.bob).get(reverse("home")).content.decode()
