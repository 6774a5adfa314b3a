"""One object as Stripe's API shows it, with links to the objects that it names."""

import json
import re

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from sandbox import deliveries, records
from sandbox.hosted import pages

DELIVERIES_SHOWN = 50
# The ids of objects that have a page of their own, as they stand in escaped JSON.
NAMED = re.compile(
    r"&quot;((?:bpc|bps|clock|cs_test|cus|evt|in|pi|pm|price|prod|sub|we)_\w+)&quot;"
)


@pages.serialized
def view(request: HttpRequest, id: str) -> HttpResponse:
    record = records.find(id)
    if record is None:
        return pages.gone(request, "object")
    context = {
        "id": record.id,
        "kind": record.kind,
        "json": _linked(json.dumps(record.data, indent=2, ensure_ascii=False)),
        "is_event": record.kind == "event",
        "deliveries": deliveries.latest(DELIVERIES_SHOWN, event=id),
    }
    return pages.show(request, "object.html", context)


def _linked(text: str) -> SafeString:
    """Escape a text and make links of the ids in it."""
    return mark_safe(NAMED.sub(r'&quot;<a href="/objects/\1">\1</a>&quot;', escape(text)))
