"""Whatever order its events arrive in, doubled or lost, a history ends where Stripe says."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from djstripe.models import Event, WebhookEndpoint
from pytest_django import Settings

from billing import services
from billing.models import Standing
from orgs import clock
from tests.billing.histories.recorded import SEQUENCES, Sequence, Story, StripeEvent, shuffled
from tests.billing.histories.truth import divergences
from tests.payer import Payer

# How many orders of each history are tried. In every third one somebody syncs at each event; in
# the others the wake-up calls are lost, and only the marks are left.
SAMPLES = 6
DEAF = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}

pytestmark = pytest.mark.thorough

Begin = Callable[[Sequence], Story]


@pytest.fixture
def begin(payer: Payer, live_server: Any) -> Begin:
    """Begin a story whose events nobody delivers but the test."""
    endpoint = WebhookEndpoint.objects.create(
        id="we_recorded",
        djstripe_uuid=uuid.uuid4(),
        secret="whsec_recorded",
        enabled_events=["*"],
        url=live_server.url,
    )

    def begin(sequence: Sequence) -> Story:
        payer.sandbox.settings(dunning_end=sequence.dunning_end)
        return Story(live_server.url, endpoint)

    return begin


def wrong(story: Story) -> list[str]:
    return divergences(story.organization, clock.now())


def assert_converged(story: Story) -> None:
    """Sweep once; then all is as Stripe says."""
    services.sync_due(now=clock.now())
    assert wrong(story) == []
    assert not Standing.objects.marked().exists()


each_sequence = pytest.mark.parametrize("name", SEQUENCES)


@each_sequence
@pytest.mark.django_db(transaction=True)
def test_a_history_that_is_over_is_understood_from_its_events_in_any_order(
    name: str, begin: Begin, settings: Settings
) -> None:
    sequence, awake = SEQUENCES[name], settings.TASKS
    story = begin(sequence)
    for act in sequence.acts:
        act(story)
    events = story.events()
    random = Random(name)
    for sample in range(SAMPLES):
        story.forget()
        settings.TASKS = DEAF if sample % 3 else awake
        assert wrong(story) != []
        arriving = shuffled(events, random, last=sequence.last)
        story.deliver(arriving)
        assert_converged(story)
        assert story.standing() == sequence.end
        assert {each["id"] for each in arriving} == set(Event.objects.values_list("id", flat=True))


@each_sequence
@pytest.mark.parametrize("sample", range(2))
@pytest.mark.django_db(transaction=True)
def test_a_history_is_understood_while_its_events_come_late_and_mixed(
    name: str, sample: int, begin: Begin
) -> None:
    sequence, random = SEQUENCES[name], Random(f"{name}, {sample}")
    story = begin(sequence)
    late: list[StripeEvent] = []
    for act in sequence.acts:
        act(story)
        late += story.events()
        random.shuffle(late)
        arrived = late[: random.randint(1, len(late))]
        late = late[len(arrived) :]
        story.deliver(shuffled(arrived, random))
        # One event of it, whichever it was, told all that had happened until then.
        assert wrong(story) == []
    if late:
        story.deliver(shuffled(late, random, last=sequence.last))
    assert_converged(story)
    assert story.standing() == sequence.end


@pytest.mark.django_db(transaction=True)
def test_when_every_event_of_a_history_is_lost_the_sweep_finds_out_within_a_day(
    begin: Begin,
) -> None:
    sequence = SEQUENCES["subscribe"]
    story = begin(sequence)
    for act in sequence.acts:
        act(story)
    services.sync_due(now=clock.now())
    assert wrong(story) != []
    story.advance(2)
    assert_converged(story)
    assert story.standing() == sequence.end
