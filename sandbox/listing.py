"""Stripe's lists: newest first, cut by `limit`, walked by `starting_after` and `ending_before`."""

from collections.abc import Callable, Iterable

from sandbox import records
from sandbox.errors import missing_resource
from sandbox.kinds import JSON
from sandbox.params import in_range
from sandbox.records import Record

DEFAULT_LIMIT = 10


def as_list(url: str, data: list[JSON], *, has_more: bool = False) -> JSON:
    return {"object": "list", "url": url, "has_more": has_more, "data": data}


def page(
    url: str,
    kind: str,
    params: JSON,
    *,
    where: Callable[[Record], bool] = lambda record: True,
    render: Callable[[Record], JSON] = lambda record: record.data,
    customer: str | None = None,
) -> JSON:
    """Return one page of the objects of a kind."""
    created = params.get("created", {})
    found = (
        record
        for record in records.each(kind, customer=customer)
        if where(record) and in_range(record.data.get("created", 0), created)
    )
    chosen, has_more = _cut(found, kind, params)
    return as_list(url, [render(record) for record in chosen], has_more=has_more)


def _cut(found: Iterable[Record], kind: str, params: JSON) -> tuple[list[Record], bool]:
    limit = params.get("limit", DEFAULT_LIMIT)
    if "ending_before" in params:
        oldest = _border(kind, params["ending_before"], "ending_before")
        newer = [record for record in found if record.seq > oldest]
        return newer[-limit:], len(newer) > limit
    after = params.get("starting_after")
    border = _border(kind, after, "starting_after") if after else None
    chosen: list[Record] = []
    for record in found:
        if border is not None and record.seq >= border:
            continue
        if len(chosen) == limit:
            return chosen, True
        chosen.append(record)
    return chosen, False


def _border(kind: str, id: str, param: str) -> int:
    record = records.find(id)
    if record is None or record.kind != kind:
        raise missing_resource(kind, id, param=param, status=400)
    return record.seq


def slice_of(items: list[JSON], url: str, params: JSON) -> JSON:
    """Return one page of a list that lives inside another object."""
    ids = [item["id"] for item in items]
    limit = params.get("limit", DEFAULT_LIMIT)
    start, end = 0, len(items)
    if "starting_after" in params:
        start = _place(ids, params["starting_after"], "starting_after") + 1
    if "ending_before" in params:
        end = _place(ids, params["ending_before"], "ending_before")
        start = max(start, end - limit)
        return as_list(url, items[start:end], has_more=start > 0)
    return as_list(url, items[start : start + limit], has_more=len(items) > start + limit)


def _place(ids: list[str], id: str, param: str) -> int:
    if id not in ids:
        raise missing_resource("object", id, param=param, status=400)
    return ids.index(id)
