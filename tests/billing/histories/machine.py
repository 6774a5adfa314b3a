"""Random histories: people, staff, Stripe, time and weather do as they please.

Now and then everything settles, and product and Stripe are compared. Rules look at nothing but
their arguments, so that a history is the same however fast its events arrive.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core import mail
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from billing import services
from billing.models import Standing
from billing.services import leases
from orgs import clock
from tests.billing.histories import truth
from tests.billing.histories.chances import (
    CALLS,
    DELIVERIES,
    EVENTS,
    PATHS,
    PRICES,
    SOLD,
    SPANS,
    acts,
    cards,
    decisions,
    times,
)
from tests.billing.histories.desk import FAILS, GOOD
from tests.billing.histories.stage import Stage
from tests.billing.histories.world import World


class Histories(RuleBasedStateMachine):
    stage: Stage
    world: World

    @initialize(
        grace_days=st.sampled_from([0, 0, 7]),
        is_free_offered=st.sampled_from([True, True, True, False]),
        # Syncing at each event costs most of the time.
        is_awake=st.sampled_from([False, False, True]),
        is_subscribed=st.booleans(),
    )
    def begin(
        self, grace_days: int, is_free_offered: bool, is_awake: bool, is_subscribed: bool
    ) -> None:
        self.is_over = False
        self.world = World(
            self.stage,
            grace_days=grace_days,
            is_free_offered=is_free_offered,
            is_awake=is_awake,
        )
        if is_subscribed:
            self.world.desk.subscribe(self.stage.prices[SOLD[0]])

    # --- The owner ----------------------------------------------------------------------------

    @rule(lookup_key=st.sampled_from(SOLD), card=cards, decision=decisions)
    def subscribe_or_change(self, lookup_key: str, card: str, decision: str) -> None:
        def act() -> None:
            self.world.choose_plan(lookup_key)
            if "/c/pay/" in self.world.browser.page.url:
                self.world.go_on("checkout-form", decision, card=card)
            else:
                self.world.go_on("switch-form", decision)

        self.world.attempt(act)

    @rule(lookup_key=st.sampled_from(SOLD))
    def look_at_a_plan(self, lookup_key: str) -> None:
        self.world.attempt(lambda: self.world.choose_plan(lookup_key))

    @rule(card=cards, decision=decisions)
    def go_back_to_the_first_checkout(self, card: str, decision: str) -> None:
        def act() -> None:
            if self.world.checkouts:
                self.world.browser.open(self.world.checkouts.pop(0))
                self.world.go_on("checkout-form", decision, card=card)

        self.world.attempt(act)

    @rule(card=cards, decision=decisions)
    def change_card(self, card: str, decision: str) -> None:
        def act() -> None:
            self.world.open_portal()
            self.world.go_on("card-form", decision, card=card)

        self.world.attempt(act)

    @rule(form=st.sampled_from(["pay-form", "cancel-form", "resume-form"]), decision=decisions)
    def use_the_portal(self, form: str, decision: str) -> None:
        def act() -> None:
            self.world.open_portal()
            self.world.go_on(form, decision)

        self.world.attempt(act)

    @rule()
    def choose_free(self) -> None:
        organization = self.world.organization
        self.world.attempt(
            lambda: services.choose_free_tier(
                organization=organization, by=organization.owner, now=clock.now()
            )
        )

    @rule()
    def return_from_stripe(self) -> None:
        self.world.end_leases()
        patience = timedelta(0)
        organization = self.world.organization
        self.world.attempt(lambda: services.sync_now(organization=organization, patience=patience))

    @rule(name=st.sampled_from(["Acme", "Zenith"]), mail=st.sampled_from(["", "bills@example.com"]))
    def rename(self, name: str, mail: str) -> None:
        self.world.attempt(lambda: self.world.rename(name, mail))

    # --- Staff, here and at Stripe ------------------------------------------------------------

    @rule()
    def hand_on(self) -> None:
        self.world.attempt(self.world.hand_on)

    @rule(lookup_key=st.sampled_from(PRICES), tier=st.sampled_from(["pro", "business"]))
    def map_price(self, lookup_key: str, tier: str) -> None:
        self.world.attempt(lambda: self.world.map_price(lookup_key, tier))

    @rule(lookup_key=st.sampled_from(PRICES), trial_days=st.sampled_from([None, 7]))
    def subscribe_at_stripe(self, lookup_key: str, trial_days: int | None) -> None:
        def act() -> None:
            price = self.stage.prices[lookup_key]
            self.world.desk.subscribe(price, trial_days=trial_days)

        self.world.attempt(act)

    @rule(act=acts)
    def act_at_stripe(self, act: str) -> None:
        self.world.attempt(lambda: getattr(self.world.desk, act)())

    @rule(token=st.sampled_from([GOOD, FAILS, FAILS]))
    def change_card_at_stripe(self, token: str) -> None:
        self.world.attempt(lambda: self.world.desk.use_card(token))

    @rule(days=st.sampled_from([32, 33, 36, 41, 60]), is_noticed=st.booleans())
    def a_renewal_fails(self, days: int, is_noticed: bool) -> None:
        def act() -> None:
            desk = self.world.desk
            if not desk.living():
                desk.subscribe(self.stage.prices[SOLD[0]])
            desk.use_card(FAILS)
            self.world.advance(timedelta(days=days))

        self.world.attempt(act)
        if is_noticed:
            self.compare_facts()

    @rule(end=st.sampled_from(["cancel", "unpaid", "past_due"]))
    def decide_how_dunning_ends(self, end: str) -> None:
        self.world.attempt(lambda: self.world.sandbox.settings(dunning_end=end))

    # --- Time, weather and processes that die -------------------------------------------------

    @rule(span=st.sampled_from(SPANS))
    def time_passes(self, span: timedelta) -> None:
        self.world.attempt(lambda: self.world.advance(span))

    @rule(weather=st.sampled_from(CALLS), path=st.sampled_from(PATHS), times=times)
    def calls_go_wrong(self, weather: dict[str, Any], path: str, times: int) -> None:
        rules = [{**weather, "path": path, "times": times}]
        self.world.attempt(lambda: self.world.change_weather("path", rules))

    @rule(weather=st.sampled_from(DELIVERIES), event=st.sampled_from(EVENTS), times=times)
    def deliveries_go_wrong(self, weather: dict[str, Any], event: str, times: int) -> None:
        rules = [{**weather, "event": event, "times": times}]
        self.world.attempt(lambda: self.world.change_weather("event", rules))

    @rule()
    def weather_clears(self) -> None:
        self.world.attempt(self.world.clear_weather)

    @rule()
    def events_arrive(self) -> None:
        self.world.attempt(self.world.sandbox.flush)

    @rule()
    def sweep(self) -> None:
        self.world.attempt(lambda: services.sync_due(now=clock.now()))

    @rule()
    def send_mails(self) -> None:
        self.world.attempt(lambda: services.send_payer_mails(now=clock.now()))

    @rule()
    def a_sync_dies(self) -> None:
        self.world.attempt(lambda: leases.take(self.world.cast.acme.pk, clock.now()))

    @rule()
    def a_slow_sync_asks(self) -> None:
        self.world.attempt(self.world.begin_slow_sync)

    @rule()
    def a_slow_sync_writes(self) -> None:
        self.world.attempt(self.world.end_slow_sync)

    @rule(act=acts, is_overtaken=st.booleans())
    def something_happens_during_a_slow_sync(self, act: str, is_overtaken: bool) -> None:
        def happen() -> None:
            desk = self.world.desk
            self.world.begin_slow_sync()
            if desk.living():
                getattr(desk, act)()
            else:
                desk.subscribe(self.stage.prices[SOLD[0]])
            self.world.sandbox.flush()
            if is_overtaken:
                self.world.end_leases()
                services.sync_due(now=clock.now())
            self.world.end_slow_sync()

        self.world.attempt(happen)
        self.compare_facts()

    # --- What holds ---------------------------------------------------------------------------

    @rule()
    def all_settles(self) -> None:
        self.world.attempt(self.compare)

    def compare_facts(self) -> None:
        """Let all settle, and compare what is kept with what Stripe says."""
        self.report(self.world.settle() + truth.divergences(self.world.organization, clock.now()))

    def compare(self) -> None:
        """The same; and see who gets in, what can be bought, and whether the invariants hold."""
        self.compare_facts()
        organization, now = self.world.organization, clock.now()
        self.report(
            truth.of_customers(organization)
            + truth.of_pages(organization, now)
            + truth.of_invariants(organization, now)
            + truth.of_mails(organization, mail.outbox)
            + truth.of_reconcile(organization)
        )

    def report(self, found: list[str]) -> None:
        standing = Standing.objects.get(organization=self.world.cast.acme)
        self.stage.comparisons += 1
        self.stage.seen[f"{standing.status} {standing.reason}".strip()] += 1
        if found:
            self.stage.divergences += 1
            self.stage.first = self.stage.first or self.stage.steps
            self.is_over = True
        assert not found, f"step {self.stage.steps}: " + "; ".join(found)

    def teardown(self) -> None:
        try:
            if not self.is_over:
                self.compare()
        finally:
            self.world.end()
