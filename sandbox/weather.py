"""Bad weather on request: for the calls that come in, and for the events that go out."""

import threading
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase

from sandbox import nonsense
from sandbox.kinds import JSON


class UnknownRule(ValueError):
    """A rule of the weather that cannot be read."""


@dataclass
class CallRule:
    """Weather for API calls whose path fits a glob, as often as `times` says (None: always).

    `nonsense` answers 200 with a page instead of JSON. `after_effect` lets the call do its work
    first, so that only its answer is lost or spoiled.
    """

    path: str
    method: str | None = None
    status: int | None = None
    delay_ms: int = 0
    drop: bool = False
    nonsense: bool = False
    after_effect: bool = False
    times: int | None = None


@dataclass
class DeliveryRule:
    """Weather for deliveries of events whose type fits a glob, as often as `times` says.

    It strikes when the event happens; what is queued by then keeps its weather.

    `drop` loses a delivery for good. `duplicate` posts it so many times more, at the same moment.
    `reorder` holds it back, so that what follows goes first, and sends what was held newest first.
    `nonsense` first posts a signed body that is no usable event: one of `nonsense.BODIES` by
    its name, or (True) each of them in turn.
    """

    event: str
    delay_ms: int = 0
    duplicate: int = 0
    drop: bool = False
    reorder: bool = False
    nonsense: bool | str = False
    times: int | None = None


Rule = CallRule | DeliveryRule

TYPES: dict[str, tuple[type, ...]] = {
    "path": (str,),
    "event": (str,),
    "method": (str,),
    "status": (int,),
    "delay_ms": (int,),
    "duplicate": (int,),
    "times": (int,),
    "drop": (bool,),
    "reorder": (bool,),
    "after_effect": (bool,),
    "nonsense": (bool, str),
}


@dataclass(frozen=True)
class Strike:
    """What becomes of one delivery. `nonsense` names the body that goes first."""

    delay: float = 0.0
    copies: int = 1
    is_dropped: bool = False
    is_held: bool = False
    nonsense: str | None = None

    def __str__(self) -> str:
        words = [
            "dropped" if self.is_dropped else "",
            f"delayed {self.delay:g} s" if self.delay else "",
            f"{self.copies} copies" if self.copies > 1 else "",
            "held back" if self.is_held else "",
            f"nonsense first ({self.nonsense})" if self.nonsense else "",
        ]
        return ", ".join(word for word in words if word)


FAIR = Strike()


class Weather:
    """The rules in force. The first one that fits a call or an event strikes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._turn = 0

    def set(self, rules: list[JSON]) -> None:
        """Replace all rules, or raise UnknownRule and change nothing."""
        made = [_rule(given) for given in rules]
        with self._lock:
            self._rules = made
            self._turn = 0

    def strike_call(self, method: str, path: str) -> CallRule | None:
        """Return the rule that strikes a call, and count it."""
        with self._lock:
            for rule in self._rules:
                if (
                    isinstance(rule, CallRule)
                    and rule.method in (None, method)
                    and _fits(rule, path, rule.path)
                ):
                    return rule
        return None

    def strike_delivery(self, kind: str) -> Strike:
        """Say what becomes of the delivery of an event, and count its rule."""
        with self._lock:
            for rule in self._rules:
                if isinstance(rule, DeliveryRule) and _fits(rule, kind, rule.event):
                    return self._strike(rule)
        return FAIR

    def _strike(self, rule: DeliveryRule) -> Strike:
        body = rule.nonsense if isinstance(rule.nonsense, str) else None
        if rule.nonsense is True:
            names = list(nonsense.BODIES)
            body = names[self._turn % len(names)]
            self._turn += 1
        return Strike(
            delay=rule.delay_ms / 1000,
            copies=1 + rule.duplicate,
            is_dropped=rule.drop,
            is_held=rule.reorder,
            nonsense=body,
        )

    def as_json(self) -> list[JSON]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]


def _fits(rule: Rule, name: str, glob: str) -> bool:
    """Say whether a rule strikes, and if so count it."""
    if rule.times == 0 or not fnmatchcase(name, glob):
        return False
    if rule.times is not None:
        rule.times -= 1
    return True


def _rule(given: object) -> Rule:
    """Read one rule: the fields that are not null, each of its type."""
    if not isinstance(given, dict):
        raise UnknownRule("A rule is an object.")
    found = {name: value for name, value in given.items() if value is not None}
    if ("path" in found) == ("event" in found):
        raise UnknownRule("A rule has either a path or an event.")
    kind = CallRule if "path" in found else DeliveryRule
    known = {field.name for field in fields(kind)}
    if unknown := found.keys() - known:
        raise UnknownRule(
            f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(known))}."
        )
    for name, value in found.items():
        if type(value) not in TYPES[name] or (isinstance(value, int) and value < 0):
            raise UnknownRule(f"{name} cannot be {value!r}.")
    if isinstance(found.get("nonsense"), str):
        _check_nonsense(kind, found["nonsense"])
    return kind(**found)


def _check_nonsense(kind: type[Rule], name: str) -> None:
    if kind is CallRule or name not in nonsense.BODIES:
        raise UnknownRule(f"nonsense cannot be {name!r}. For events: {', '.join(nonsense.BODIES)}.")


weather = Weather()
