"""Pages of the log: each goes on where the last one ended, whatever is written meanwhile."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import UserEventLog

PAGE_SIZE = 50


def page_of(lines: QuerySet[UserEventLog], before: str) -> tuple[list[UserEventLog], int | None]:
    """Return the newest lines whose key is below `before`, and what the next page is before.

    `before` is what a link of ours says, or somebody typed; what is no key counts as nothing.
    """
    if before.isdecimal() and len(before) < 19:
        lines = lines.filter(pk__lt=int(before))
    page = list(lines.order_by("-pk")[: PAGE_SIZE + 1])
    is_last = len(page) <= PAGE_SIZE
    return page[:PAGE_SIZE], None if is_last else page[PAGE_SIZE - 1].pk
