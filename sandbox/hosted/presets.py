"""The kinds of weather that the index offers."""

from dataclasses import dataclass

from sandbox.kinds import JSON


@dataclass(frozen=True)
class Preset:
    label: str
    rules: tuple[JSON, ...] = ()


def _calls(label: str, **weather: object) -> Preset:
    return Preset(label, ({"path": "/v1/*", **weather},))


def _deliveries(label: str, **weather: object) -> Preset:
    return Preset(label, ({"event": "*", **weather},))


PRESETS: dict[str, Preset] = {
    "clear": Preset("Clear"),
    "slow": _calls("Slow: calls take 2 seconds", delay_ms=2000),
    "500": _calls("Calls are answered 500", status=500),
    "429": _calls("Calls are answered 429 (too many)", status=429),
    "page": _calls("Calls are answered with a page that is not JSON", nonsense=True),
    "drop": _deliveries("Events are lost", drop=True),
    "duplicate": _deliveries("Events come three times at once", duplicate=2),
    "reorder": _deliveries("Events come in the wrong order", reorder=True),
    "delay": _deliveries("Events come 10 seconds late", delay_ms=10_000),
    "nonsense": _deliveries("Nonsense comes before each event", nonsense=True),
}


def described(rules: list[JSON]) -> list[str]:
    """Write each rule that can still strike in one line."""
    return [_described(rule) for rule in rules if rule["times"] != 0]


def _described(rule: JSON) -> str:
    name = "path" if "path" in rule else "event"
    told = [
        key if value is True else f"{key} {value}"
        for key, value in rule.items()
        if key != name and value
    ]
    return f"{name} {rule[name]}: {', '.join(told)}"
