"""Every URL of the product, as the resolver knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Url:
    """`name` with its namespaces; empty where it has none. `takes`: how many parts of the path
    are arguments, in prefixes too."""

    name: str
    takes: int
    callback: Callable[..., Any]


def every_url(patterns: list[Any] | None = None, prefix: str = "", taken: int = 0) -> Iterator[Url]:
    for each in get_resolver().url_patterns if patterns is None else patterns:
        takes = taken + each.pattern.regex.groups
        if isinstance(each, URLResolver):
            inner = f"{prefix}{each.namespace}:" if each.namespace else prefix
            yield from every_url(each.url_patterns, inner, takes)
        elif isinstance(each, URLPattern):
            yield Url(prefix + each.name if each.name else "", takes, each.callback)
