"""The load of `tools.kill_at_random`: owners and members in browsers, and changes at Stripe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException
from random import Random
from threading import Event

from django.db import connections

from config.browser import Browser, Page
from tools.kill_stripe import StripeUser, Team

PASSWORD = "a long walk by the sea"
# Pays; pays when the bank was told that it is you; can be saved, and fails when it is charged.
CARDS = ("4242424242424242", "4000002500003155", "4000000000000341")
OURS = (
    "/billing/subscribe/",
    "/billing/portal/",
    "/billing/free/",
    "/billing/cancel/",
    "/billing/resume/",
)
STRIPES = ("checkout-form", "switch-form", "card-form", "pay-form", "cancel-form", "resume-form")
OWNERS_AT_ONCE = 3
# "We are checking", too many log-ins in a minute, and "another process is at it".
WAIT = {202, 429, 503}
# What was broken by a kill, and is repeated.
BROKEN = (OSError, HTTPException)


class TryAgain(Exception):
    """The page asks to come back later."""


class Left(Exception):
    """The person gave up, whatever they were at."""


class Person:
    """Somebody with a browser, who repeats what a kill broke, until `stopping`: then they leave.

    `done` is told of each click.
    """

    def __init__(
        self,
        kind: str,
        email: str,
        webs: list[str],
        dice: Random,
        done: list[str],
        stopping: Event,
    ) -> None:
        self._kind = kind
        self._email = email
        self._webs = webs
        self._dice = dice
        self._done = done
        self._stopping = stopping
        self._browser = Browser()

    def look_at_team(self) -> None:
        self._click(lambda: self._open("/team/"))

    def pay(self) -> None:
        """Do one of the things that the billing page offers, at Stripe's pages, and return."""
        wish = self._dice.random()
        page = self._click(lambda: self._choose(wish))
        offered = [form for form in page.forms if form.id in STRIPES]
        if not offered:
            return
        form = self._dice.choice(offered)
        card = {"card": self._dice.choice(CARDS)} if "card" in form.fields else {}
        try:
            page = self._browser.submit(form.id, **card)
            if any(form.id == "confirm-form" for form in page.forms):
                self._browser.submit("confirm-form", decision="complete")
        except BROKEN:
            # Stripe's stand-in is never killed: it was the way back that broke.
            self._done.append(f"{self._kind} broken")
        self._click(lambda: self._open("/billing/return/"))

    def _choose(self, wish: float) -> Page:
        """Send one form of the billing page: the same one again while it offers the same."""
        page = self._open("/billing/")
        offered = [(form, name) for form in page.forms for name in OURS if name in form.action]
        if not offered:
            return page
        form, name = offered[int(wish * len(offered))]
        return _checked(self._browser.submit(name, **form.fields))

    def _open(self, path: str) -> Page:
        page = _checked(self._browser.open(self._dice.choice(self._webs) + path))
        if "/accounts/login/" in page.url:
            page = self._browser.submit("/accounts/login/", login=self._email, password=PASSWORD)
        return _checked(page)

    def _click(self, act: Callable[[], Page]) -> Page:
        """Do it until it works. Raises Left."""
        self._done.append(f"{self._kind} clicks")
        while True:
            try:
                return act()
            except (*BROKEN, TryAgain) as error:
                waits = isinstance(error, TryAgain)
                self._done.append(f"{self._kind} {'told to wait' if waits else 'broken'}")
            if self._stopping.wait(self._dice.uniform(0.2, 1)):
                raise Left


def _checked(page: Page) -> Page:
    if page.status in WAIT:
        raise TryAgain(f"{page.url} answered {page.status}")
    if not page.source:
        # It was cut off amid its headers, which Python's client takes for their end.
        raise ConnectionError(f"{page.url} is empty")
    if page.status >= 500:
        raise RuntimeError(f"{page.url} answered {page.status}: {page.text[:300]}")
    return page


@contextmanager
def load(
    teams: list[Team],
    webs: list[str],
    seed: int,
    seconds: float,
    done: list[str],
    problems: list[str],
) -> Iterator[Event]:
    """Put the product under load for so many seconds, or until the yielded event is set.

    Organizations have their turns, and are left alone afterwards: nothing that happens to them
    later makes up for what a kill lost. `done` is told of each act, `problems` of what must not
    happen, whatever is killed.
    """
    dice = Random(f"load {seed}")
    stopping = Event()
    began = time.monotonic()

    def in_turns(
        acts: Sequence[Callable[[], None]], seconds: float, pause: float, dice: Random
    ) -> None:
        try:
            while not stopping.wait(dice.uniform(0.5, 1.5) * pause):
                turn = int((time.monotonic() - began) / seconds * len(acts))
                if turn >= len(acts):
                    return
                acts[turn]()
        except Left:
            pass
        finally:
            connections.close_all()

    def person(kind: str, email: str) -> Person:
        return Person(kind, email, webs, Random(dice.random()), done, stopping)

    owners = [person("owners", team.owner).pay for team in teams if team.buys_on_pages]
    members = [person("members", team.member).look_at_team for team in teams]
    at_stripe = StripeUser(Random(dice.random()), done)
    changes: list[Callable[[], None]] = [partial(at_stripe.change, team) for team in teams]
    shares = [owners[first::OWNERS_AT_ONCE] for first in range(OWNERS_AT_ONCE)]
    with ThreadPoolExecutor() as pool:
        threads = [
            pool.submit(in_turns, acts, seconds, 0.2, Random(dice.random()))
            for acts in (*shares, members, changes)
        ]
        # A move of the clock concerns everybody, so it comes early.
        threads.append(pool.submit(in_turns, [at_stripe.move_clock], seconds / 3, 5, dice))
        try:
            yield stopping
        finally:
            stopping.set()
    problems += [repr(error) for thread in threads if (error := thread.exception())]
