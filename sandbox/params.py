"""What a call may be given: declared once per call, checked and typed here, as Stripe does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.encoding import Raw
from sandbox.errors import ParameterError
from sandbox.kinds import JSON


class Param(Protocol):
    def parse(self, raw: Raw, name: str) -> Any: ...


def _empty(name: str) -> ParameterError:
    return ParameterError(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset "
        f"a parameter; however '{name}' cannot be unset. You should remove '{name}' from your "
        "request or supply a non-empty value.",
        code="parameter_invalid_empty",
        param=name,
    )


def _text(raw: Raw, name: str) -> str:
    if not isinstance(raw, str):
        raise ParameterError("Invalid string", code="parameter_invalid_string", param=name)
    return raw


@dataclass(frozen=True)
class Text:
    clearable: bool = False
    longest: int = 5000

    def parse(self, raw: Raw, name: str) -> str | None:
        text = _text(raw, name)
        if len(text) > self.longest:
            raise ParameterError(
                f"Invalid string: must be at most {self.longest} characters", param=name
            )
        if not text:
            if not self.clearable:
                raise _empty(name)
            return None
        return text


@dataclass(frozen=True)
class Integer:
    least: int | None = None
    most: int | None = None

    def parse(self, raw: Raw, name: str) -> int:
        try:
            number = int(_text(raw, name))
        except ValueError as error:
            raise ParameterError(
                f"Invalid integer: {raw}", code="parameter_invalid_integer", param=name
            ) from error
        if self.least is not None and number < self.least:
            raise ParameterError(
                f"This value must be greater than or equal to {self.least}.",
                code="parameter_invalid_integer",
                param=name,
            )
        if self.most is not None and number > self.most:
            raise ParameterError(
                f"This value must be less than or equal to {self.most}.",
                code="parameter_invalid_integer",
                param=name,
            )
        return number


@dataclass(frozen=True)
class Moment:
    """A Unix timestamp, one of some words (`now`), or nothing where clearing makes sense."""

    words: tuple[str, ...] = ()
    clearable: bool = False

    def parse(self, raw: Raw, name: str) -> int | str | None:
        if raw == "" and self.clearable:
            return None
        if raw in self.words:
            return str(raw)
        return Integer(least=0).parse(raw, name)


@dataclass(frozen=True)
class Flag:
    def parse(self, raw: Raw, name: str) -> bool:
        if raw in ("true", "True", "1"):
            return True
        if raw in ("false", "False", "0"):
            return False
        raise ParameterError(f"Invalid boolean: {raw}", param=name)


@dataclass(frozen=True)
class Choice:
    options: tuple[str, ...]

    def parse(self, raw: Raw, name: str) -> str:
        if raw not in self.options:
            *others, last = self.options
            listed = f"{', '.join(others)}, or {last}" if others else last
            raise ParameterError(f"Invalid {name}: must be one of {listed}", param=name)
        return str(raw)


@dataclass(frozen=True)
class ListOf:
    item: Param

    def parse(self, raw: Raw, name: str) -> list[Any]:
        if raw == "":
            return []
        if not isinstance(raw, list):
            raise ParameterError("Invalid array", param=name)
        return [self.item.parse(value, f"{name}[{place}]") for place, value in enumerate(raw)]


@dataclass(frozen=True)
class Metadata:
    """Up to 50 keys; a value of "" removes its key, and "" for the whole removes them all."""

    def parse(self, raw: Raw, name: str) -> dict[str, str]:
        if raw == "":
            return {}
        if isinstance(raw, list):
            raw = {str(place): value for place, value in enumerate(raw)}
        if not isinstance(raw, dict):
            raise ParameterError("Invalid hash", param=name)
        for key, value in raw.items():
            if len(key) > 40 or len(_text(value, f"{name}[{key}]")) > 500:
                raise ParameterError(
                    "Metadata keys can be up to 40 characters long and values up to 500.",
                    param=f"{name}[{key}]",
                )
        if len(raw) > 50:
            raise ParameterError("Metadata can have up to 50 keys.", param=name)
        return dict(raw)


@dataclass(frozen=True)
class Shape:
    fields: Mapping[str, Param]
    required: tuple[str, ...] = ()
    clearable: bool = False

    def parse(self, raw: Raw, name: str = "") -> JSON | None:
        if raw == "" and self.clearable:
            return None
        if not isinstance(raw, dict):
            raise ParameterError("Invalid object", param=name)
        return self.parse_fields(raw, name)

    def parse_fields(self, raw: dict[str, Raw], name: str = "") -> JSON:
        for key in raw:
            if key not in self.fields:
                full = _inside(name, key)
                raise ParameterError(
                    f"Received unknown parameter: {full}", code="parameter_unknown", param=full
                )
        for key in self.required:
            if key not in raw:
                full = _inside(name, key)
                raise ParameterError(
                    f"Missing required param: {full}.", code="parameter_missing", param=full
                )
        return {
            key: self.fields[key].parse(value, _inside(name, key)) for key, value in raw.items()
        }


def _inside(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


RANGE = Shape({name: Integer() for name in ("gt", "gte", "lt", "lte")})


@dataclass(frozen=True)
class MomentRange:
    """A filter such as `created`: one timestamp, or bounds."""

    def parse(self, raw: Raw, name: str) -> JSON:
        if isinstance(raw, str):
            exact = Integer().parse(raw, name)
            return {"gte": exact, "lte": exact}
        return RANGE.parse(raw, name) or {}


@dataclass(frozen=True)
class Params:
    """Everything one call accepts. `expand` is understood everywhere."""

    fields: Mapping[str, Param] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def parse(self, raw: dict[str, Raw]) -> JSON:
        shape = Shape({**self.fields, "expand": ListOf(Text())}, self.required)
        return shape.parse_fields(raw)


LIST_FIELDS: dict[str, Param] = {
    "limit": Integer(least=1, most=100),
    "starting_after": Text(),
    "ending_before": Text(),
    "created": MomentRange(),
}


def list_params(**filters: Param) -> Params:
    return Params({**LIST_FIELDS, **filters})


def merged_metadata(current: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Apply an update of metadata: keys are merged, empty values removed."""
    if not given:
        return {}
    return {key: value for key, value in {**current, **given}.items() if value != ""}


def in_range(moment: int, bounds: JSON) -> bool:
    """Say whether a timestamp lies within a parsed MomentRange."""
    return bool(
        moment > bounds.get("gt", moment - 1)
        and moment >= bounds.get("gte", moment)
        and moment < bounds.get("lt", moment + 1)
        and moment <= bounds.get("lte", moment)
    )
