"""Stripe's form encoding: `items[0][price]=x&expand[]=y` and back to nested values."""

import re
from typing import Any
from urllib.parse import parse_qsl

Raw = Any

KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(text: str) -> dict[str, Raw]:
    """Turn an encoded form into nested dicts, lists and strings."""
    tree: dict[str, Raw] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        _plant(tree, _segments(key), value)
    return {key: _listed(value) for key, value in tree.items()}


def _segments(key: str) -> list[str]:
    match = KEY.match(key)
    if match is None:
        return [key]
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _plant(tree: dict[str, Raw], segments: list[str], value: str) -> None:
    node = tree
    for position, segment in enumerate(segments):
        name = segment or str(len(node))
        if position == len(segments) - 1:
            node[name] = value
            return
        if not isinstance(node.get(name), dict):
            node[name] = {}
        node = node[name]


def _listed(value: Raw) -> Raw:
    """Turn dicts whose keys are 0, 1, 2… into lists."""
    if not isinstance(value, dict):
        return value
    children = {key: _listed(child) for key, child in value.items()}
    if children and all(key.isdigit() for key in children):
        return [children[key] for key in sorted(children, key=int)]
    return children
