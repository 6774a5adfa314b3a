"""A key gets a successor, as docs/keys.md has it for those of which a former one is still taken."""

from __future__ import annotations

from collections.abc import Callable

from pytest_django import Settings

Rotate = Callable[[], None]


def successor_of(name: str, settings: Settings) -> Rotate:
    """What puts another key in its place, while the former is still taken."""

    def rotate() -> None:
        setattr(settings, f"{name}_FALLBACKS", [getattr(settings, name)])
        setattr(settings, name, "the-next-one")

    return rotate


def end_of_former(name: str, settings: Settings) -> Rotate:
    """What makes the former key worth nothing."""

    def forget() -> None:
        setattr(settings, f"{name}_FALLBACKS", [])

    return forget
