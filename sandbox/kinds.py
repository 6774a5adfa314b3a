"""The one shape that everything here passes around: a JSON object as Stripe writes it."""

from typing import Any

JSON = dict[str, Any]
