"""Which function answers which call. Each resource declares its own routes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from sandbox.kinds import JSON
from sandbox.params import Params


@dataclass(frozen=True)
class Route:
    """One call of the API. The handler gets the parsed parameters and the ids of the address."""

    method: str
    path: str
    handler: Callable[..., JSON]
    params: Params = field(default_factory=Params)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path) + r"/?$")
