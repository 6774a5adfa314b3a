"""Lists: their order, their pages and their filters."""

import pytest
import stripe

pytestmark = pytest.mark.process


@pytest.fixture
def ids(stripe_client: stripe.StripeClient) -> list[str]:
    """Twelve customers, newest first."""
    made = [stripe_client.v1.customers.create({"name": str(place)}).id for place in range(12)]
    return made[::-1]


def test_ten_come_by_default_newest_first(
    stripe_client: stripe.StripeClient, ids: list[str]
) -> None:
    page = stripe_client.v1.customers.list()

    assert [customer.id for customer in page.data] == ids[:10]
    assert page.has_more is True


def test_pages_can_be_walked_to_the_end(stripe_client: stripe.StripeClient, ids: list[str]) -> None:
    found = stripe_client.v1.customers.list({"limit": 5}).auto_paging_iter()

    assert [customer.id for customer in found] == ids


def test_pages_can_be_walked_backwards(stripe_client: stripe.StripeClient, ids: list[str]) -> None:
    page = stripe_client.v1.customers.list({"limit": 5, "ending_before": ids[-1]})

    assert [customer.id for customer in page.data] == ids[6:11]
    assert page.has_more is True
    first = stripe_client.v1.customers.list({"limit": 5, "ending_before": ids[3]})
    assert [customer.id for customer in first.data] == ids[:3]
    assert first.has_more is False


def test_the_last_page_says_so(stripe_client: stripe.StripeClient, ids: list[str]) -> None:
    page = stripe_client.v1.customers.list({"limit": 12})

    assert len(page.data) == 12
    assert page.has_more is False


def test_creation_times_can_be_bounded(stripe_client: stripe.StripeClient, ids: list[str]) -> None:
    newest = stripe_client.v1.customers.retrieve(ids[0]).created

    later = stripe_client.v1.customers.list({"created": {"gt": newest}})
    until = stripe_client.v1.customers.list({"created": {"lte": newest}, "limit": 100})

    assert later.data == []
    assert len(until.data) == 12


def test_events_are_filtered_by_type(stripe_client: stripe.StripeClient, ids: list[str]) -> None:
    stripe_client.v1.customers.delete(ids[0])
    events = stripe_client.v1.events

    deleted = events.list({"types": ["customer.deleted", "customer.updated"]}).data

    assert [event.type for event in deleted] == ["customer.deleted"]
    assert events.retrieve(deleted[0].id).data.object["id"] == ids[0]
