"""What goes wrong, one play after the other, and what must hold after each."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.browser import Browser
from config.processes import ProcessFailed
from tools.rehearsal.arrangement import Arrangement
from tools.rehearsal.people import LOGGED_OUT, Member, Owner, Seen, Stripe, at_it, timed
from tools.rehearsal.servers import PostgreSQL, SQLite, wait_until

# Seconds of each play before something breaks, and after it was mended.
BEFORE, AFTER = 3.0, 6.0
# Seconds. Whoever was killed in the middle of a sync keeps its lease for a minute and a half.
QUIET_WITHIN = 120
# What a page says when the way to Stripe is barred.
EXCUSES = ("Stripe cannot be reached",)
MARKED = "SELECT count(*) FROM billing_standing WHERE sync_requested_at IS NOT NULL"
CHANGES = "SELECT count(*) FROM accounts_usereventlog WHERE event = 'organization_changed'"
NAME = "SELECT name FROM orgs_organization WHERE id = %s"


@dataclass
class Result:
    """What people saw, what was found afterwards, and what must not have been."""

    name: str
    member: Seen
    owner: Seen
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def told(self) -> str:
        lines = [
            *self.notes,
            f"the member saw: {self.member.told()}",
            f"the owner saw: {self.owner.told()}",
            *(f"PROBLEM: {problem}" for problem in self.problems),
        ]
        return "\n    ".join([f"\n{self.name}", *lines])


@dataclass
class Cast:
    """Who is there, from the walkthrough: an organization that pays."""

    organization_id: int
    owner: Browser
    member: Browser
    # The same owner, in another window.
    owner_too: Browser
    stripe: Stripe


class Theatre:
    """Plays, before light load, on an arrangement."""

    def __init__(self, arrangement: Arrangement, cast: Cast) -> None:
        self.arrangement = arrangement
        self.cast = cast

    def play(self, name: str, breaks: Callable[[Theatre], list[str]]) -> Result:
        """Break something under load, have it mended, and look for what was lost."""
        url = self.arrangement.url
        member, owner = Member(self.cast.member, url), Owner(self.cast.owner, url)
        changes, restarted = self._count(CHANGES), len(self.arrangement.restarted)
        with at_it((member.act, 0.2), (owner.act, 0.4), (self.cast.stripe.act, 0.7)):
            time.sleep(BEFORE)
            notes = breaks(self)
            time.sleep(AFTER)
        result = Result(name, member.seen, owner.seen, notes)
        if ended := self.arrangement.restarted[restarted:]:
            result.notes.append(f"the supervisor started again: {', '.join(ended)}")
        self._look_at_changes(owner, self._count(CHANGES) - changes, result)
        self._look_at_billing(result)
        self._look_at_people(result)
        return result

    def _look_at_changes(self, owner: Owner, logged: int, result: Result) -> None:
        """What was confirmed is there, once, and what was not may be."""
        confirmed, unknown = len(owner.confirmed), len(owner.unknown)
        if not confirmed <= logged <= confirmed + unknown:
            result.problems.append(f"{confirmed} changes confirmed, and {logged} in the log")
        ((name,),) = self.arrangement.database.rows(NAME, self.cast.organization_id)
        if not owner.confirmed or name not in (owner.confirmed[-1], *owner.unknown):
            result.problems.append(f"the organization is called {name}")
        result.notes.append(f"{confirmed} changes confirmed and {unknown} not; {logged} in the log")

    def _look_at_billing(self, result: Result) -> None:
        """What was told, or could not be, has arrived; Stripe and we agree."""
        began = time.monotonic()
        try:
            wait_until(self._is_quiet, "A quiet state", within=QUIET_WITHIN)
        except ProcessFailed:
            result.problems.append("events or syncs are still on their way")
        result.notes.append(f"all events and syncs through {time.monotonic() - began:.1f} s later")
        self._must_end_well(result, "check_invariants")
        self._must_end_well(result, "reconcile_billing", "--dry-run")

    def _look_at_people(self, result: Result) -> None:
        if result.member.outcomes[LOGGED_OUT] or result.owner.outcomes[LOGGED_OUT]:
            result.problems.append("somebody was logged out")
        for person in (
            Member(self.cast.member, self.arrangement.url),
            Owner(self.cast.owner, self.arrangement.url),
        ):
            person.act()
            if not person.seen.outcomes.keys() <= {"200", "saved"}:
                result.problems.append(f"afterwards somebody sees {person.seen.told()}")

    def _must_end_well(self, result: Result, *command: str) -> None:
        try:
            said = self.arrangement.manage(*command)
        except ProcessFailed as error:
            result.problems.append(f"{' '.join(command)}: {error}")
        else:
            result.notes.append(f"`{' '.join(command)}`: {said.strip().splitlines()[-1]}")

    def _is_quiet(self) -> bool:
        return not self.cast.stripe.pending() and self._count(MARKED) == 0

    def _count(self, statement: str) -> int:
        ((number,),) = self.arrangement.database.rows(statement)
        return int(str(number))


# --- The plays ------------------------------------------------------------------------------------


def postgres_is_restarted(theatre: Theatre) -> list[str]:
    postgres = theatre.arrangement.database
    assert isinstance(postgres, PostgreSQL)
    for how in ("fast", "immediate"):
        postgres.stop(how)
        time.sleep(2)
        postgres.start()
        time.sleep(2)
    return ["stopped and started, then crashed and started, two seconds each"]


def redis_is_stopped_and_flushed(theatre: Theatre) -> list[str]:
    redis = theatre.arrangement.redis
    assert redis is not None
    redis.stop()
    time.sleep(6)
    redis.start()
    return ["killed, and started empty six seconds later"]


def workers_are_killed(theatre: Theatre) -> list[str]:
    arrangement = theatre.arrangement
    for name in arrangement.names("worker"):
        arrangement.kill(name)
    os.kill(children_of(arrangement.pid("web"))[0], signal.SIGKILL)
    time.sleep(4)
    return ["SIGKILL to both task workers and to one of gunicorn's processes"]


def web_is_replaced(theatre: Theatre) -> list[str]:
    """As an upgrade does."""
    os.kill(theatre.arrangement.pid("web"), signal.SIGHUP)
    time.sleep(4)
    return ["SIGHUP to gunicorn, as `systemctl reload` sends it"]


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def stripe_has(weather: str, **rule: Any) -> Callable[[Theatre], list[str]]:
    """Return a play in which each call to Stripe meets this weather."""

    def breaks(theatre: Theatre) -> list[str]:
        stripe = theatre.cast.stripe
        stripe.weather({"path": "/v1/*", **rule})
        try:
            time.sleep(2)
            # Somebody who wants to pay meanwhile.
            seen = Seen()
            seen.note(*timed(lambda: to_the_portal(theatre)))
            time.sleep(4)
        finally:
            stripe.weather()
        return [f"each call: {weather}", f"the owner, on the way to pay: {seen.told()}"]

    return breaks


def to_the_portal(theatre: Theatre) -> str:
    url = theatre.arrangement.url
    browser = theatre.cast.owner_too
    browser.open(f"{url}/billing/")
    page = browser.submit("/billing/portal/")
    said = "; ".join(words for words in EXCUSES if words in page.text)
    return f"{page.status} {said}".strip()


def clocks_jump(clock: Path) -> Callable[[Theatre], list[str]]:
    """What Stripe signs meanwhile is refused by the clock, and repeated by Stripe."""

    def breaks(theatre: Theatre) -> list[str]:
        for jump in (3600, -3600, 0):
            clock.write_text(str(jump))
            time.sleep(4)
        return ["those of web, workers and sweep: an hour ahead, an hour behind, and right again"]

    return breaks


def play_with_clocks(theatre: Theatre) -> Result:
    with TemporaryDirectory() as directory:
        clock = Path(directory) / "clock"
        clock.write_text("0")
        theatre.arrangement.run_again(
            PYTHONPATH=str(Path(__file__).parent / "clock"), REHEARSAL_CLOCK=str(clock)
        )
        result = theatre.play("Clocks jump", clocks_jump(clock))
        theatre.arrangement.run_again()
    return result


def disk_is_full(theatre: Theatre) -> list[str]:
    disk = theatre.arrangement.database
    assert isinstance(disk, SQLite)
    disk.fill(seconds=6)
    disk.free()
    time.sleep(2)
    return [f"SQLite's disk is full for six seconds; then PRAGMA integrity_check: {sound(disk)}"]


def sound(database: SQLite) -> str:
    return "; ".join(str(line) for (line,) in database.rows("PRAGMA integrity_check"))


PLAYS: dict[str, Callable[[Theatre], list[str]]] = {
    "PostgreSQL restarted": postgres_is_restarted,
    "Redis stopped and flushed": redis_is_stopped_and_flushed,
    "Workers killed": workers_are_killed,
    "gunicorn reloaded": web_is_replaced,
    "Stripe is slow": stripe_has("three seconds", delay_ms=3000),
    "Stripe fails": stripe_has("500", status=500),
    "Stripe limits": stripe_has("429", status=429),
    "Stripe talks nonsense": stripe_has("a page of HTML, 200", nonsense=True),
}
