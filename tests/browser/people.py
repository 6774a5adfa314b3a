"""Who is in front of the browser."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from orgs.models import Organization

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Team:
    owner: User
    member: User
    organization: Organization
