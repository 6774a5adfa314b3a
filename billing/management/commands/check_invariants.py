from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand

from billing.invariants import INVARIANTS as OF_BILLING
from orgs import clock
from orgs.invariants import INVARIANTS as OF_ORGS
from orgs.invariants import Invariant
from orgs.invariants_of_roles import INVARIANTS as OF_ROLES

MOST_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """How often an invariant is broken, and where for example."""

    id: str
    sentence: str
    count: int
    examples: list[str]
    remedy: str

    def __str__(self) -> str:
        examples = ", ".join(self.examples)
        more = ", …" if self.count > len(self.examples) else ""
        return f"{self.id}: {self.sentence} Not so: {self.count} ({examples}{more}). {self.remedy}"


class Command(BaseCommand):
    help = "Look for rows that break an invariant or disagree. Exits with 1 when there are any."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="every invariant, as a list that programs read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        findings = [_look(invariant, now) for invariant in (*OF_ORGS, *OF_ROLES, *OF_BILLING)]
        broken = [finding for finding in findings if finding.count]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            for finding in broken:
                self.stdout.write(str(finding))
            numbers = f"{len(findings)} invariants checked, {len(broken)} broken"
            self.stdout.write(f'{numbers} (docs/rules.md, "Checking").')
        if broken:
            sys.exit(1)


def _look(invariant: Invariant, now: datetime) -> Finding:
    """Count what is found and keep the first few: however many there are, no more is held."""
    found = invariant.find(now)
    examples = list(islice(found, MOST_EXAMPLES))
    count = len(examples) + sum(1 for _ in found)
    return Finding(invariant.id, invariant.sentence, count, examples, invariant.remedy)
