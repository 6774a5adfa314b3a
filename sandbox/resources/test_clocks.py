"""Test clocks: time for their customers passes when it is told to."""

from sandbox import clocks, events, listing, records
from sandbox.billing import timeline
from sandbox.errors import refused
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import Integer, Params, Text, list_params
from sandbox.resources import customers
from sandbox.routing import Route
from sandbox.schedule import DAY

PATH = "/v1/test_helpers/test_clocks"
CREATE = Params({"frozen_time": Integer(least=0), "name": Text()}, required=("frozen_time",))
ADVANCE = Params({"frozen_time": Integer(least=0)}, required=("frozen_time",))
LIST = list_params()


def create(params: JSON) -> JSON:
    id = new_id("clock")
    now = clocks.real_now()
    data = {
        "id": id,
        "object": clocks.KIND,
        "created": now,
        "deletes_after": now + 30 * DAY,
        "frozen_time": params["frozen_time"],
        "livemode": False,
        "name": params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    record = records.add(data, clock=id)
    events.emit("test_helpers.test_clock.created", record)
    return data


def retrieve(params: JSON, id: str) -> JSON:
    return records.get(clocks.KIND, id).data


def list_all(params: JSON) -> JSON:
    return listing.page(PATH, clocks.KIND, params)


def advance(params: JSON, id: str) -> JSON:
    """Do all that falls due until then, before it answers.

    Stripe answers `advancing` at once and does the work afterwards.
    """
    clock = records.live(clocks.KIND, id)
    if params["frozen_time"] <= clock.data["frozen_time"]:
        raise refused(
            "The frozen time to advance to must be after the clock's present time.",
            param="frozen_time",
        )
    timeline.advance(clock, params["frozen_time"])
    return clock.data


def delete(params: JSON, id: str) -> JSON:
    """Delete a clock and, as Stripe does, its customers with it."""
    clock = records.live(clocks.KIND, id)
    for customer in records.each("customer", clock=id):
        customers.delete({}, customer.id)
    events.emit("test_helpers.test_clock.deleted", clock)
    return records.delete(clock)


ROUTES = [
    Route("POST", PATH, create, CREATE),
    Route("GET", PATH, list_all, LIST),
    Route("GET", PATH + "/{id}", retrieve),
    Route("DELETE", PATH + "/{id}", delete),
    Route("POST", PATH + "/{id}/advance", advance, ADVANCE),
]
