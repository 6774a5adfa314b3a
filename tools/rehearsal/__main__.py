"""Brings up the product as in production on this machine, walks through its story, breaks one thing
after the other under light load, and tears it all down.

    python -m tools.rehearsal --report docs/rehearsal.md

Needs Debian's postgresql, redis-server and nginx, and openssl; the small disk that is
filled can only be made by root. Exits with 1 when something was lost, or did not come back.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import django

from config.browser import Browser
from config.management.commands.walkthrough import PASSWORD, Story
from config.processes import ProcessFailed, interrupt_once
from tools.rehearsal.arrangement import Arrangement, commands
from tools.rehearsal.people import Stripe
from tools.rehearsal.plays import PLAYS, Cast, Result, Theatre, disk_is_full, play_with_clocks
from tools.rehearsal.report import report
from tools.rehearsal.servers import Missing, PostgreSQL, Redis, SQLite


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, help="a file to write what was seen to")
    parser.add_argument("--only", nargs="*", help="these plays alone")
    options = parser.parse_args()
    interrupt_once()
    try:
        steps, walked, results = rehearse(options.only)
    except (Missing, ProcessFailed) as error:
        sys.exit(f"{error}\nEverything is stopped.")
    if options.report:
        options.report.write_text(report(steps, walked, results, versions()))
    sys.exit(any(result.problems for result in results))


def rehearse(only: list[str] | None) -> tuple[list[str], list[str], list[Result]]:
    """Return the steps of the way up, what the walkthrough saw, and how each play went."""
    steps: list[str] = []
    walked: list[str] = []
    results: list[Result] = []

    def say(text: str) -> None:
        print(text, flush=True)

    def step(text: str) -> None:
        steps.append(text)
        say(f"$ {text}")

    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-")))
        database = PostgreSQL(directory)
        stage = Arrangement(directory, database=database, redis=Redis(), say=step)
        stack.enter_context(stage)
        for number, act in enumerate(Story(stage, stage.mails).steps, 1):
            walked.append(f"{number:2} {act.__name__.replace('_', ' ')}: {act()}")
            say(walked[-1])
        theatre = Theatre(stage, cast_of(stage))
        for name, breaks in PLAYS.items():
            if only is None or name in only:
                results.append(theatre.play(name, breaks))
                say(results[-1].told())
        if only is None or "clocks" in only:
            results.append(play_with_clocks(theatre))
            say(results[-1].told())
    if only is None or "disk" in only:
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-")))
            small = Arrangement(directory, database=SQLite(directory), redis=None, say=say)
            stack.enter_context(small)
            results.append(Theatre(small, cast_of(small)).play("SQLite's disk full", disk_is_full))
            say(results[-1].told())
    return steps, walked, results


def cast_of(stage: Arrangement) -> Cast:
    """Found an organization that pays, with an owner and a member."""
    story = Story(stage, stage.mails)
    for act in story.steps[:5]:
        act()
    owner_too = Browser()
    owner_too.open(f"{stage.url}/accounts/login/")
    owner_too.submit("/accounts/login/", login=story.alice_email, password=PASSWORD)
    ((organization, subscription),) = stage.database.rows(
        "SELECT person.organization_id, subscription_id FROM accounts_user person"
        " JOIN billing_standing ON billing_standing.organization_id = person.organization_id"
        " WHERE email = %s",
        story.alice_email,
    )
    return Cast(
        organization_id=int(str(organization)),
        owner=story.alice,
        member=story.bob,
        owner_too=owner_too,
        stripe=Stripe(stage.sandbox_url, str(subscription)),
    )


def versions() -> str:
    return (
        f"{datetime.now(UTC):%d %B %Y}, Python {platform.python_version()}, "
        f"Django {django.get_version()}"
    )


if __name__ == "__main__":
    commands()
    main()
