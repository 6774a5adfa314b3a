"""Which prices a subscription can have."""

from sandbox import records
from sandbox.errors import refused
from sandbox.records import Record


def recurring_price(id: str, param: str) -> Record:
    """Return a price that a subscription can begin with, or raise Stripe's 400."""
    price = records.referenced("price", id, param)
    if price.data["recurring"] is None:
        raise refused(
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`.",
            param=param,
        )
    if not price.data["active"]:
        raise refused(
            "The price specified is inactive. This field only accepts active prices.", param=param
        )
    return price
