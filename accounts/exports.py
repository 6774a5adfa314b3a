"""A copy of what we hold, written as JSON part by part, so that no more is held than a few rows.

What a room knows of a person it adds to the parts that are listed here, as it does with pages of
the admin (`UserAdmin.pages`); so higher rooms tell theirs without being known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from accounts.models import User

Subject = TypeVar("Subject", bound=Model)
Facts = Mapping[str, Any]

# So many rows are held at a time.
CHUNK = 500


@dataclass(frozen=True)
class Part(Generic[Subject]):
    """One part of a copy: its name there, and what it tells, as one object or as a list.

    `keys` are the keys to the subject that it answers for, each as `app.Model.field`: a test holds
    them against all that there are.
    """

    name: str
    tell: Callable[[Subject], Facts | Iterable[Facts]]
    keys: tuple[str, ...] = ()


# What is told to a person of themself. Higher rooms add theirs.
PERSON: list[Part[User]] = []
# Keys to people that no part answers for, each with the reason. So here too.
NOT_OF_PERSON: dict[str, str] = {}


def rows(queryset: QuerySet[Any], *fields: str, **renamed: Any) -> Iterator[dict[str, Any]]:
    """Read some columns of all rows, oldest first, a chunk at a time."""
    return queryset.order_by("pk").values(*fields, **renamed).iterator(CHUNK)


def written(parts: Iterable[Part[Subject]], subject: Subject, now: datetime) -> Iterator[str]:
    """Write the copy as JSON, a row at a time."""
    yield f'{{"exported_at": {_json(now)}'
    for part in parts:
        yield f",\n{_json(part.name)}: "
        told = part.tell(subject)
        if isinstance(told, Mapping):
            yield _json(told)
        else:
            yield from _listed(told)
    yield "}\n"


def download(copy: Iterator[str], name: str) -> StreamingHttpResponse:
    """Send a copy as a file that nothing on its way keeps."""
    response = StreamingHttpResponse(copy, content_type="application/json")
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "no-store"
    return response


def _listed(told: Iterable[Facts]) -> Iterator[str]:
    before = "["
    for facts in told:
        yield f"{before}\n{_json(facts)}"
        before = ","
    yield "[]" if before == "[" else "\n]"


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
