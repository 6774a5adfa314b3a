"""Two syncs of one organization while things happen at Stripe: every order of their steps.

The steps are the product's own (`leases.take`, `projection.write`, `leases.give_back`); what Stripe
says in each of its states was fetched over HTTP before. All schedules are explored, with a crash
or a failed call possible at each step, with leases that run out, and with events that arrive at
any time after what they tell of. Schedules that lead to the same situation are followed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import pytest

from billing.models import Standing
from billing.models.standing import LEASE
from billing.services import leases, projection, request_sync
from billing.services.facts import Facts, fetch
from billing.services.leases import Lease
from billing.services.projection import Written, current_policy
from billing.services.sync import MOST_ROUNDS
from billing.standing import standing_of
from orgs.models import Organization
from tests.cast import Cast
from tests.payer import Payer

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

GOOD, FAILS_LATER = "4242424242424242", "4000000000000341"
START = datetime(2027, 1, 1, tzinfo=UTC)
Row = dict[str, Any]
COLUMNS = (
    "status",
    "reason",
    "subscription_id",
    "grace_ends_at",
    "ends_at",
    "locks_at",
    "synced_at",
    "sync_requested_at",
    "lease_until",
    "generation",
)


@dataclass(frozen=True)
class Sync:
    """One process in the middle of `sync_organization`."""

    at: Literal["start", "leased", "fetched", "over"] = "start"
    lease: Lease | None = None
    # Which of Stripe's states its answers are of.
    seen: int | None = None


@dataclass(frozen=True)
class Rows:
    """What the database holds of the organization."""

    standing: Row
    organization: Row

    @classmethod
    def read(cls, pk: int) -> Rows:
        standing = Standing.objects.filter(organization=pk).values(*COLUMNS).get()
        organization = Organization.objects.filter(pk=pk).values("tier_id", "locked_from").get()
        return cls(dict(standing), dict(organization))

    def write(self, pk: int) -> None:
        Organization.objects.filter(pk=pk).update(**self.organization)
        Standing.objects.filter(organization=pk).update(**self.standing)


@dataclass(frozen=True)
class World:
    """Everything that decides what can happen next."""

    stripe: int
    # Stripe's states whose event has not arrived.
    on_the_way: frozenset[int]
    syncs: tuple[Sync, Sync]
    leases_may_run_out: int
    now: datetime
    rows: Rows

    @property
    def is_leased(self) -> bool:
        until = self.rows.standing["lease_until"]
        return until is not None and until > self.now

    def key(self) -> tuple[object, ...]:
        """Worlds of one key have the same future: times and generations matter by equality."""
        standing, organization = self.rows.standing, self.rows.organization
        mark, generation = standing["sync_requested_at"], standing["generation"]
        syncs = [
            (
                each.at,
                each.seen,
                each.lease and (each.lease.mark == mark, each.lease.generation == generation),
            )
            for each in self.syncs
        ]
        return (
            self.stripe,
            self.on_the_way,
            *sorted(syncs, key=repr),
            self.leases_may_run_out,
            mark is None,
            self.is_leased,
            standing["status"],
            standing["reason"],
            organization["tier_id"],
            organization["locked_from"] is not None,
        )


class Explorer:
    """Plays every schedule, and remembers how it came to where it is."""

    def __init__(self, organization: Organization, facts: list[Facts]) -> None:
        self.pk = organization.pk
        self.facts = facts
        self.situations = 0
        self.endings = 0

    def explore(self, world: World) -> None:
        """Raise AssertionError, with the schedule, where one ends otherwise than Stripe says."""
        met = {world.key()}
        waiting: list[tuple[World, tuple[str, ...]]] = [(world, ())]
        while waiting:
            world, story = waiting.pop()
            self.situations += 1
            if self._is_over(world):
                self._check(world, story)
                self.endings += 1
                continue
            for name, act in self._steps(world):
                following = act(replace(world, now=world.now + timedelta(seconds=1)))
                if following.key() not in met:
                    met.add(following.key())
                    waiting.append((following, (*story, name)))

    def _is_over(self, world: World) -> bool:
        """Whether everything has happened, is known of, and nobody is at work any more."""
        is_quiet = not world.on_the_way and world.stripe == len(self.facts) - 1
        return is_quiet and all(each.at == "over" for each in world.syncs)

    def _steps(self, world: World) -> Iterator[tuple[str, Callable[[World], World]]]:
        if world.stripe < len(self.facts) - 1:
            yield "something happens at Stripe", _happen
        for number in sorted(world.on_the_way):
            yield f"event {number} arrives", partial(self._arrive, number=number)
        if world.is_leased and world.leases_may_run_out:
            yield "the lease runs out", _run_out
        for place, sync in enumerate(world.syncs):
            if sync.at == "over":
                continue
            label = f"sync {place}"
            yield f"{label} crashes", _put(place, Sync("over"))
            if sync.at == "start":
                yield f"{label} takes the lease", partial(self._take, place=place)
            elif sync.at == "leased":
                asked = replace(sync, at="fetched", seen=world.stripe)
                yield f"{label} asks", _put(place, asked)
                yield f"{label} cannot ask", partial(self._give_back, place=place)
            else:
                yield f"{label} writes", partial(self._write, place=place)

    def _arrive(self, world: World, number: int) -> World:
        world.rows.write(self.pk)
        request_sync(organization_ids=[self.pk], now=world.now)
        return replace(world, on_the_way=world.on_the_way - {number}, rows=Rows.read(self.pk))

    def _take(self, world: World, place: int) -> World:
        world.rows.write(self.pk)
        lease = leases.take(self.pk, world.now)
        after = Sync("leased", lease) if lease else Sync("over")
        return _put(place, after)(replace(world, rows=Rows.read(self.pk)))

    def _give_back(self, world: World, place: int) -> World:
        lease = world.syncs[place].lease
        assert lease is not None
        world.rows.write(self.pk)
        leases.give_back(lease, world.now)
        return _put(place, Sync("over"))(replace(world, rows=Rows.read(self.pk)))

    def _write(self, world: World, place: int) -> World:
        sync = world.syncs[place]
        assert sync.lease is not None
        assert sync.seen is not None
        world.rows.write(self.pk)
        written = projection.write(sync.lease, self.facts[sync.seen], world.now)
        after = Sync("start") if written is Written.AGAIN else Sync("over")
        return _put(place, after)(replace(world, rows=Rows.read(self.pk)))

    def _check(self, world: World, story: tuple[str, ...]) -> None:
        """Sweep once, and compare with what Stripe says."""
        world.rows.write(self.pk)
        self._sweep(world.now + 2 * LEASE)
        truth = standing_of(
            self.facts[-1].subscriptions, self.facts[-1].open_invoices, world.now, current_policy()
        )
        standing = Standing.objects.select_related("organization__tier").get(organization=self.pk)
        tier, locked_from = standing.organization.tier, standing.organization.locked_from
        assert (
            standing.status,
            standing.reason,
            tier.key if tier else None,
            locked_from is not None,
            standing.sync_requested_at,
        ) == (truth.status, truth.reason, truth.tier, truth.locks_at is not None, None), story

    def _sweep(self, now: datetime) -> None:
        for _round in range(MOST_ROUNDS):
            if not Standing.objects.due(now).exists():
                return
            lease = leases.take(self.pk, now)
            assert lease is not None
            projection.write(lease, self.facts[-1], now)


def _happen(world: World) -> World:
    number = world.stripe + 1
    return replace(world, stripe=number, on_the_way=world.on_the_way | {number})


def _run_out(world: World) -> World:
    return replace(world, now=world.now + LEASE, leases_may_run_out=world.leases_may_run_out - 1)


def _put(place: int, sync: Sync) -> Callable[[World], World]:
    def put(world: World) -> World:
        syncs = list(world.syncs)
        syncs[place] = sync
        return replace(world, syncs=(syncs[0], syncs[1]))

    return put


def ask(payer: Payer) -> Facts:
    """Ask Stripe as a sync does, and leave the lease and the mark as they were."""
    lease = leases.take(payer.organization.pk, datetime.now(UTC))
    assert lease is not None
    facts = fetch(lease)
    Standing.objects.update(lease_until=None, sync_requested_at=None)
    return facts


def subscribe(payer: Payer) -> None:
    payer.subscribe()


def fail(payer: Payer) -> None:
    payer.change_card(FAILS_LATER)
    payer.advance(32)


def recover(payer: Payer) -> None:
    payer.change_card(GOOD)
    payer.pay()


def end_for_debt(payer: Payer) -> None:
    payer.advance(30)


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        pytest.param([], [subscribe], id="subscribes"),
        pytest.param([subscribe], [fail], id="fails"),
        pytest.param([subscribe], [fail, recover], id="fails and recovers"),
        pytest.param([subscribe, fail], [recover, fail], id="recovers and fails again"),
        pytest.param([subscribe, fail], [end_for_debt, subscribe], id="ends and subscribes again"),
    ],
)
def test_no_order_of_steps_leaves_another_standing_than_stripes(
    payer: Payer,
    cast: Cast,
    before: list[Callable[[Payer], None]],
    changes: list[Callable[[Payer], None]],
) -> None:
    for act in before:
        act(payer)
    payer.sync()
    start = Rows.read(cast.acme.pk)
    facts = [ask(payer)]
    for act in changes:
        act(payer)
        # The checkout has synced meanwhile; here nobody has noticed anything yet.
        facts.append(ask(payer))
    for each in facts:
        projection._write_mirror(each)
    explorer = Explorer(cast.acme, facts)
    explorer.explore(World(0, frozenset(), (Sync(), Sync()), 2, START, start))
    # The exploration is not empty: with one change there are some 200 situations, with two 1,000.
    assert explorer.situations > 100 * len(changes)
    assert explorer.endings > 5
