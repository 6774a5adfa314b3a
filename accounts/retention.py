"""Takes old lines out of the log: first into a file, and only then out of the database.

The database refuses to remove what no `LogExport` covers (I5 of docs/rules.md), and what guards and
invariants read stays in any case (`KEPT_FOR_EVER`).
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Max

from accounts.events import KEPT_FOR_EVER
from accounts.models import LogExport, UserEventLog

# A transaction that is still open may hold a key that lies among older ones.
YOUNGEST = timedelta(days=1)
BATCH = 1000
FIELDS = (
    "id",
    "created_at",
    "event",
    "user",
    "actor",
    "impersonator",
    "organization",
    "data",
    "ip_address",
    "device",
    "request_id",
)


class TooYoung(Exception):
    """Lines of the last day are not exported yet."""


def export_lines(*, path: Path, before: datetime, now: datetime) -> LogExport | None:
    """Write the lines from before a moment that no file has yet, one JSON object a line.

    The file is whole and on the disk before the database hears of it; what breaks off on the way
    leaves the log as it was. Returns None, and makes no file, when there is nothing to write.
    Raises TooYoung, and FileExistsError for a file that is there.
    """
    if before > now - YOUNGEST:
        raise TooYoung
    if path.exists():
        raise FileExistsError(path)
    last_exported = LogExport.objects.aggregate(last=Max("last_id"))["last"] or 0
    rows = UserEventLog.objects.filter(pk__gt=last_exported)
    last = rows.filter(created_at__lt=before).aggregate(last=Max("pk"))["last"]
    if last is None:
        return None
    lines = rows.filter(pk__lte=last).order_by("pk").values(*FIELDS)
    digest, count, first = hashlib.sha256(), 0, last
    unfinished = path.with_name(f"{path.name}.unfinished")
    with unfinished.open("wb") as file:
        for line in lines.iterator(chunk_size=BATCH):
            text = json.dumps(line, cls=DjangoJSONEncoder, sort_keys=True).encode() + b"\n"
            file.write(text)
            digest.update(text)
            first = min(first, line["id"])
            count += 1
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    return LogExport.objects.create(
        first_id=first, last_id=last, lines=count, sha256=digest.hexdigest(), created_at=now
    )


def remove_exported_lines() -> int:
    """Remove the lines that exports cover, in transactions of a bounded size; return how many.

    Safe to repeat, and to kill on the way.
    """
    removed = 0
    for export in LogExport.objects.order_by("pk"):
        last = export.first_id - 1
        while keys := _keys_after(last, export):
            last = keys[-1]
            with transaction.atomic():
                removed += UserEventLog.objects.filter(pk__in=keys).delete()[0]
    return removed


def _keys_after(key: int, export: LogExport) -> list[int]:
    rows = UserEventLog.objects.filter(pk__gt=key, pk__lte=export.last_id)
    rows = rows.exclude(event__in=KEPT_FOR_EVER).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:BATCH])
