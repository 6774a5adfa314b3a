"""Bad weather on request: slow answers, errors, and connections that break."""

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.kinds import JSON

FIELDS = ("path", "method", "status", "delay_ms", "drop", "after_effect", "times")


class UnknownRule(ValueError):
    """A rule of the weather that cannot be read."""


@dataclass
class Rule:
    """One kind of weather. It strikes calls that match, as often as `times` says (None: always).

    `after_effect` lets the call do its work first, so that only its answer is lost or spoiled.
    """

    path: str
    method: str | None = None
    status: int | None = None
    delay_ms: int = 0
    drop: bool = False
    after_effect: bool = False
    times: int | None = None

    def matches(self, method: str, path: str) -> bool:
        return (
            self.times != 0
            and (self.method is None or self.method == method)
            and fnmatchcase(path, self.path)
        )

    def as_json(self) -> JSON:
        return {name: getattr(self, name) for name in FIELDS}


class Weather:
    """The rules in force. The first one that matches a call strikes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def set(self, rules: list[JSON]) -> None:
        """Replace all rules, or raise UnknownRule and change nothing."""
        made = [_rule(given) for given in rules]
        with self._lock:
            self._rules = made

    def strike(self, method: str, path: str) -> Rule | None:
        """Return the rule that strikes a call, and count it."""
        with self._lock:
            for rule in self._rules:
                if rule.matches(method, path):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule
        return None

    def as_json(self) -> list[JSON]:
        with self._lock:
            return [rule.as_json() for rule in self._rules]


def _rule(given: JSON) -> Rule:
    unknown = given.keys() - set(FIELDS)
    if unknown or not isinstance(given.get("path"), str):
        raise UnknownRule(f"A rule has a path and may have {', '.join(FIELDS[1:])}.")
    rule = Rule(**given)
    rule.delay_ms = rule.delay_ms or 0
    return rule


weather = Weather()
