"""Measures webhooks on one database: started by `python -m bench.webhooks`, not by hand.

Its settings lead to an empty database and to Stripe's stand-in. Takes the addresses of two
servers, Holdfast's and stock dj-stripe's; prints the figures as JSON.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import cycle
from time import perf_counter

import django
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

django.setup()

from bench.webhooks_figures import Figures, Handling  # noqa: E402
from bench.webhooks_world import (  # noqa: E402
    DELAY_MS,
    Answer,
    Payer,
    World,
    wait_for,
    wait_until_synced,
)
from orgs.models import Organization  # noqa: E402

# Each client posts the events of an organization of its own: nobody waits for another's rows.
CLIENTS = 8
ROUNDS = 3
SECONDS = {"holdfast": 4.0, "stock": 10.0}
BURST = 100
BURSTS = 3
LAGS = 10
# Tasks would run in this process as well, beside those of the server that is measured.
WITHOUT_TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Measures:
    def __init__(self, world: World, urls: dict[str, str]) -> None:
        self.world = world
        self.urls = urls
        self.payers = [world.add_payer(f"payer{number}") for number in range(CLIENTS)]
        self.on_trial = [world.add_payer(f"trial{number}", on_trial=True) for number in range(LAGS)]
        self.last = world.add_payer("last")

    def run(self) -> Figures:
        self._warm_up()
        handlings = self._compare()
        calls_of_a_sync = self._calls_of(1)
        return Figures(
            holdfast=handlings["holdfast"],
            stock=handlings["stock"],
            calls_of_a_sync=calls_of_a_sync,
            calls_of_bursts=[self._calls_of(BURST) for _ in range(BURSTS)],
            lags=[self._lag(payer) for payer in self.on_trial],
        )

    def _warm_up(self) -> None:
        """Have each candidate handle each event once, so that it mirrors what it will refer to."""
        for url in self.urls.values():
            for payer in (*self.payers, self.last):
                for event in payer.events:
                    self.world.post(url, event)
        self._settle()

    def _compare(self) -> dict[str, Handling]:
        """Post to each by turns, beginning with either by turns."""
        answers: dict[str, list[Answer]] = {name: [] for name in self.urls}
        elapsed = dict.fromkeys(self.urls, 0.0)
        for number in range(ROUNDS):
            for name in sorted(self.urls, reverse=bool(number % 2)):
                self.world.set_delay(DELAY_MS)
                began = perf_counter()
                answers[name] += self._post_for(SECONDS[name], self.urls[name])
                elapsed[name] += perf_counter() - began
                self._settle()
        return {name: self._handling(name, answers[name], elapsed[name]) for name in self.urls}

    def _post_for(self, seconds: float, url: str) -> list[Answer]:
        deadline = perf_counter() + seconds

        def post(payer: Payer) -> list[Answer]:
            answers: list[Answer] = []
            for event in cycle(payer.events):
                if perf_counter() > deadline:
                    break
                answers.append(self.world.post(url, event))
            return answers

        with ThreadPoolExecutor(CLIENTS) as pool:
            return [answer for some in pool.map(post, self.payers) for answer in some]

    def _handling(self, name: str, answers: list[Answer], elapsed: float) -> Handling:
        seconds = [answer.seconds for answer in answers if answer.is_acknowledgement]
        urls = {"holdfast": "config.urls", "stock": "bench.webhooks_stock_urls"}[name]
        with override_settings(ROOT_URLCONF=urls):
            statements, calls = self._cost()
        return Handling(seconds, elapsed, len(answers) - len(seconds), statements, calls)

    def _cost(self) -> tuple[float, float]:
        """Return the statements and the Stripe calls of one acknowledgement, on average.

        What begins and ends transactions is left out.
        """
        client = Client(SERVER_NAME="127.0.0.1")
        events = self.last.events
        before = self.world.calls()
        with CaptureQueriesContext(connection) as made:
            for event in events:
                body, headers = self.world.signed(event)
                client.post(self.world.path, body, content_type="application/json", headers=headers)
        counted = sum(not query["sql"].startswith(CONTROL) for query in made.captured_queries)
        return counted / len(events), (self.world.calls() - before) / len(events)

    def _calls_of(self, number: int) -> int:
        """Post so many events of one organization at once; count the calls until it is synced."""
        payer = self.payers[0]
        self._settle()
        self.world.set_delay(DELAY_MS)
        before = self.world.calls()
        events = [payer.events[index % len(payer.events)] for index in range(number)]
        with ThreadPoolExecutor(number) as pool:
            list(pool.map(lambda event: self.world.post(self.urls["holdfast"], event), events))
        wait_until_synced()
        return self.world.calls() - before

    def _lag(self, payer: Payer) -> float:
        """End a trial; return the seconds from the post of the event until the lock is there."""
        event = self.world.end_trial(payer)
        self._settle()
        self.world.set_delay(DELAY_MS)
        locked = Organization.objects.filter(pk=payer.organization.pk, locked_from__isnull=False)
        began = perf_counter()
        self.world.post(self.urls["holdfast"], event)
        wait_for(locked.exists)
        return perf_counter() - began

    def _settle(self) -> None:
        """Let the server work off its wake-up calls: this one is the last in its line."""
        self.world.set_delay(0)
        self.world.post(self.urls["holdfast"], self.last.events[0])
        wait_until_synced()


@override_settings(TASKS=WITHOUT_TASKS)
def main(holdfast: str, stock: str) -> None:
    figures = Measures(World(), {"holdfast": holdfast, "stock": stock}).run()
    json.dump(asdict(figures), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
