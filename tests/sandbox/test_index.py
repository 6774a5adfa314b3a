"""The index: what it shows of everything, and what its forms do."""

import pytest
import stripe

from tests.sandbox import forms
from tests.sandbox.receiver import Receiver
from tests.sandbox.test_webhooks import endpoint
from tests.sandbox.world import DAY, Shop
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.process

SHOWN = 15


def test_it_shows_objects_events_and_deliveries(shop: Shop, sandbox: SandboxProcess) -> None:
    customer = shop.customer()
    shop.subscribe(customer)
    sandbox.weather([{"event": "customer.created", "drop": True}])
    with Receiver() as receiver:
        endpoint(shop.client, receiver.url)
        receiver.answers = [500]
        shop.client.v1.customers.update(customer, {"name": "Hedgehogs & <Co>"})
        open_one = shop.checkout(shop.customer("late@example.com"))
        sandbox.flush()

    page = forms.visit(f"{shop.url}/")

    assert "Hedgehogs & <Co> cus_" in page.text
    assert "active sub_" in page.text
    assert page.text.count("Its page") == 1
    assert open_one.url in page.hrefs
    assert "$29.00 paid" in page.text
    assert "checkout.session.completed" in page.text
    assert "customer.updated pending 1 answered 500" in page.text
    assert "customer.created dropped 0 dropped" in page.text
    assert "1 pending, 0 given up, 1 dropped" in page.text


def test_a_clock_is_moved_by_days_or_by_a_month(sandbox: SandboxProcess) -> None:
    clock = sandbox.clock("The shop's")
    start = sandbox.call(f"test_helpers/test_clocks/{clock}")["frozen_time"]

    page = forms.submit(forms.visit(f"{sandbox.url}/"), "clock-form", days="3", by="days")
    assert sandbox.advance(clock, days=1) == start + 4 * DAY
    page = forms.submit(page, "clock-form", by="month")

    moved = sandbox.call(f"test_helpers/test_clocks/{clock}")["frozen_time"]
    assert moved > start + 31 * DAY
    for wrong in ("0", "367", "", "²"):
        refused = forms.submit(page, "clock-form", days=wrong, by="days")
        assert "between 1 and 366" in refused.text


def test_each_clock_has_its_own_form(sandbox: SandboxProcess) -> None:
    first, second = sandbox.clock("First"), sandbox.clock("Second")
    start = sandbox.call(f"test_helpers/test_clocks/{first}")["frozen_time"]

    forms.submit(forms.visit(f"{sandbox.url}/"), "clock-form-2", days="9", by="days")

    assert sandbox.call(f"test_helpers/test_clocks/{first}")["frozen_time"] == start
    moved = sandbox.call(f"test_helpers/test_clocks/{second}")["frozen_time"]
    assert moved >= start + 9 * DAY


def test_the_weather_is_chosen_shown_and_cleared(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    page = forms.visit(f"{sandbox.url}/")
    assert "Clear: calls are answered" in page.text

    page = forms.submit(page, "weather-form", preset="429")
    assert "path /v1/*: status 429" in page.text
    with pytest.raises(stripe.RateLimitError):
        stripe_client.v1.customers.list()
    page = forms.submit(page, "clear-form")

    assert "clear-form" not in page.forms
    assert stripe_client.v1.customers.list().data == []


def test_every_weather_on_offer_can_be_had(sandbox: SandboxProcess) -> None:
    page = forms.visit(f"{sandbox.url}/")
    presets = page.forms["weather-form"].choices["preset"]
    assert presets[0] == "clear"

    for preset in presets[1:]:
        forms.submit(page, "weather-form", preset=preset)
        assert len(sandbox.control("weather")["rules"]) == 1


def test_weather_that_has_spent_itself_is_not_shown(sandbox: SandboxProcess) -> None:
    sandbox.weather([{"event": "*", "drop": True, "times": 0}])

    assert "Clear: calls are answered" in forms.visit(f"{sandbox.url}/").text


def test_the_end_of_dunning_is_chosen(sandbox: SandboxProcess) -> None:
    page = forms.visit(f"{sandbox.url}/")

    forms.submit(page, "settings-form", dunning_end="unpaid")

    assert sandbox.settings() == {"dunning_end": "unpaid"}
    assert forms.visit(f"{sandbox.url}/settings", {"dunning_end": "mercy"}).status == 404


def test_a_lost_delivery_can_be_sent_again(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    with Receiver() as receiver:
        made = endpoint(stripe_client, receiver.url, ["customer.created"])
        sandbox.weather([{"event": "*", "drop": True}])
        stripe_client.v1.customers.create({"name": "late"})
        page = forms.visit(f"{sandbox.url}/")
        (button,) = (id for id in page.forms if id.startswith("again-form-"))

        forms.submit(page, button)
        sandbox.flush()

        assert receiver.names() == ["late"]
        assert stripe_client.v1.events.list().data[0].pending_webhooks == 0
        stripe_client.v1.webhook_endpoints.delete(made.id)
    assert forms.submit(page, button).status == 404


def test_an_object_has_a_page_with_links_to_what_it_names(
    shop: Shop, sandbox: SandboxProcess
) -> None:
    customer = shop.client.v1.customers.create({"name": "<script>alert(1)</script>"})
    (event,) = shop.client.v1.events.list({"type": "customer.created"}).data

    page = forms.visit(f"{shop.url}/objects/{event.id}")

    assert '"type": "customer.created"' in page.text
    assert '"name": "<script>alert(1)</script>"' in page.text, "as text, not as an element"
    assert "No endpoint asked for it." in page.text
    assert page.hrefs.count(f"/objects/{customer.id}") == 1
    assert forms.visit(f"{shop.url}/objects/{customer.id}").status == 200
    assert forms.visit(f"{shop.url}/objects/evt_gone").status == 404


def test_long_lists_are_paged(stripe_client: stripe.StripeClient, sandbox: SandboxProcess) -> None:
    names = [f"number-{place}." for place in range(SHOWN + 2)]
    for name in names:
        stripe_client.v1.customers.create({"name": name})

    newest = forms.visit(f"{sandbox.url}/")
    older = forms.visit(f"{sandbox.url}{newest.links['older-customers']}")

    assert [name for name in names if name in newest.text] == names[2:]
    assert [name for name in names if name in older.text] == names[:2]
    assert "older-customers" not in older.links
    assert "older-events" in older.links


@pytest.mark.parametrize("given", ["x", "-1", "9" * 40])
def test_a_page_number_that_is_none_is_ignored(sandbox: SandboxProcess, given: str) -> None:
    sandbox.call("customers", name="here")

    page = forms.visit(f"{sandbox.url}/?customers={given}")

    assert page.status == 200
    assert "here cus_" in page.text
