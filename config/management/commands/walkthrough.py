"""The product's whole story, driven over HTTP through its real forms. Exit 1 where it breaks."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.browser import Browser, FormNotFound, Page
from config.processes import ProcessFailed
from config.stage import Product, Stage

PAYS = "4242424242424242"
FAILS_LATER = "4000000000000341"
PASSWORD = "a long walk by the sea"
PAST_DUE = "Your organization is past due. Contact Alice Adams to resolve billing."
# Seconds for an event to arrive from Stripe and to change who gets in.
PATIENCE = 30
A_MONTH = 32


class Broken(Exception):
    """A step of the story does not hold."""


class Command(BaseCommand):
    help = "Start the product and Stripe's stand-in, and walk through the whole story over HTTP."
    # It drives a product of its own, by its own settings.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ExitStack() as stack:
                directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                mails = directory / "mails"
                stage = stack.enter_context(
                    Stage(
                        directory,
                        database_url=os.environ.get("DATABASE_URL"),
                        # Four slashes: the path is an absolute one.
                        email_url=f"filemail:///{mails}",
                        say=self._say,
                    )
                )
                self._walk(Story(stage, mails))
        except ProcessFailed as error:
            raise CommandError(str(error)) from error

    def _walk(self, story: Story) -> None:
        for number, step in enumerate(story.steps, 1):
            name = step.__name__.replace("_", " ")
            try:
                seen = step()
            except (Broken, FormNotFound, KeyError) as error:
                self.stderr.write(story.stage.last_words)
                raise CommandError(f"{number:2} {name}: {error}") from error
            self._say(f"{number:2} {name}: {seen}")
        self._say("The whole story holds.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class Story:
    """Alice founds Acme, Bob joins, the money stops and comes back. Each step says what it saw."""

    def __init__(self, stage: Product, mails: Path) -> None:
        self.stage = stage
        self.mails = mails
        self.alice = Browser()
        self.bob = Browser()
        # Made up for each walk, so that it can be repeated on one database.
        mark = secrets.token_hex(4)
        self.alice_email = f"alice-{mark}@example.com"
        self.bob_email = f"bob-{mark}@example.com"
        self.steps: list[Callable[[], str]] = [
            self.alice_signs_up,
            self.alice_confirms_her_address,
            self.bob_is_invited,
            self.bob_joins,
            self.alice_subscribes,
            self.the_card_is_changed_to_one_that_fails,
            self.the_renewal_fails_and_bobs_open_session_is_stopped,
            self.bob_is_refused_at_log_in,
            self.alice_is_in_under_the_banner,
            self.alice_pays,
            self.bobs_open_session_is_in_again,
            self.bob_logs_in_again,
            self.alice_cancels,
            self.the_plan_ends_in_free_and_nobody_is_locked_out,
        ]

    def alice_signs_up(self) -> str:
        self.alice.open(self._url("/accounts/signup/"))
        page = self.alice.submit(
            "/accounts/signup/",
            name="Alice Adams",
            organization_name="Acme",
            email=self.alice_email,
            password1=PASSWORD,
        )
        _expect(page, 200, url="/accounts/confirm-email/")
        return "asked for the code in the mail"

    def alice_confirms_her_address(self) -> str:
        code = self._find_in_mail(self.alice_email, r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$")
        page = self.alice.submit("/accounts/confirm-email/", code=code)
        _expect(page, 200, "Acme", url=self._url("/"))
        return "home page of Acme"

    def bob_is_invited(self) -> str:
        self.alice.open(self._url("/team/"))
        page = self.alice.submit("/team/invite/", email=self.bob_email)
        _expect(page, 200, self.bob_email)
        return f"invitation to {self.bob_email}"

    def bob_joins(self) -> str:
        link = self._find_in_mail(self.bob_email, r"(http\S+/invitations/\S+)")
        self.bob.open(link)
        page = self.bob.submit("/".join(["", *link.split("/")[3:]]), name="Bob", password=PASSWORD)
        _expect(page, 200, "Acme", url=self._url("/"))
        return "home page of Acme"

    def alice_subscribes(self) -> str:
        self.alice.open(self._url("/billing/"))
        checkout = self.alice.submit("/billing/subscribe/")
        _expect(checkout, 200, url=self.stage.sandbox_url)
        page = self.alice.submit("checkout-form", card=PAYS)
        _expect(page, 200, "Pro", url=self._url("/billing/"))
        self.alice.page.form("/billing/portal/")
        return "plan Pro, at once on the way back from the checkout"

    def the_card_is_changed_to_one_that_fails(self) -> str:
        self._change_card(FAILS_LATER)
        return "card 0341 on file"

    def the_renewal_fails_and_bobs_open_session_is_stopped(self) -> str:
        _expect(self.bob.open(self._url("/team/")), 200)
        self.stage.advance_clock(days=A_MONTH)
        page = self._until(lambda: self.bob.open(self._url("/team/")), status=403)
        _expect(page, 403, PAST_DUE)
        answer = self.bob.open(self._url("/team/"), accept="application/json")
        _expect(answer, 403, "organization_locked")
        return f"403, “{PAST_DUE}”"

    def bob_is_refused_at_log_in(self) -> str:
        page = self._log_in(Browser(), self.bob_email)
        _expect(page, 403, PAST_DUE)
        return "403, the same words"

    def alice_is_in_under_the_banner(self) -> str:
        page = self._log_in(Browser(), self.alice_email)
        _expect(page, 200, "Your organization is past due", url=self._url("/"))
        _expect(self.alice.open(self._url("/")), 200, "Update payment info")
        return "home page, with “Update payment info”"

    def alice_pays(self) -> str:
        self.alice.submit("/billing/portal/")
        self.alice.submit("card-form", card=PAYS)
        self.alice.submit("pay-form")
        page = self.alice.open(self._url("/billing/return/"))
        _expect(page, 200, url=self._url("/billing/"))
        if "past due" in page.text:
            raise Broken("the banner is still there after payment")
        return "no banner any more, on the way back from the portal"

    def bobs_open_session_is_in_again(self) -> str:
        _expect(self.bob.open(self._url("/team/")), 200, "Alice Adams")
        return "team page, at the next request"

    def bob_logs_in_again(self) -> str:
        _expect(self._log_in(Browser(), self.bob_email), 200, url=self._url("/"))
        return "home page"

    def alice_cancels(self) -> str:
        self.alice.open(self._url("/billing/"))
        self.alice.submit("/billing/portal/")
        self.alice.submit("cancel-form")
        page = self.alice.open(self._url("/billing/return/"))
        _expect(page, 200, "Pro ends on", url=self._url("/billing/"))
        return "banner “Pro ends on …”"

    def the_plan_ends_in_free_and_nobody_is_locked_out(self) -> str:
        self.stage.advance_clock(days=A_MONTH)
        home = self._url("/")
        page = self._until(lambda: self.alice.open(home), without="Pro")
        _expect(page, 200, "Free", url=home)
        _expect(self.bob.open(self._url("/team/")), 200)
        return "plan Free; Bob is in"

    def _url(self, path: str) -> str:
        return self.stage.url + path

    def _log_in(self, browser: Browser, email: str) -> Page:
        browser.open(self._url("/accounts/login/"))
        return browser.submit("/accounts/login/", login=email, password=PASSWORD)

    def _change_card(self, card: str) -> None:
        self.alice.open(self._url("/billing/"))
        self.alice.submit("/billing/portal/")
        page = self.alice.submit("card-form", card=card)
        _expect(page, 200, card[-4:])

    def _find_in_mail(self, to: str, pattern: str) -> str:
        """Return what stands in the newest mail to this address."""
        for path in sorted(self.mails.iterdir(), key=lambda each: -each.stat().st_mtime_ns):
            text = path.read_text()
            found = re.search(pattern, text, re.MULTILINE)
            if f"To: {to}" in text and found is not None:
                return found[1]
        raise Broken(f"no mail to {to} has what was looked for")

    def _until(
        self, look: Callable[[], Page], *, status: int = 200, without: str | None = None
    ) -> Page:
        """Look again until the page is as wanted; what happens at Stripe arrives by itself."""
        deadline = time.monotonic() + PATIENCE
        while True:
            page = look()
            if page.status == status and (without is None or without not in page.text):
                return page
            if time.monotonic() > deadline:
                raise Broken(f"{page.url} is still {page.status}: {page.text[:200]}")
            time.sleep(0.2)


def _expect(page: Page, status: int, text: str = "", *, url: str = "") -> None:
    if page.status != status:
        raise Broken(f"{page.url} answered {page.status} instead of {status}: {page.text[:300]}")
    if url not in page.url:
        raise Broken(f"this led to {page.url} instead of {url}: {page.text[:300]}")
    if text not in page.source and text not in page.text:
        raise Broken(f"{page.url} does not say “{text}”: {page.text[:300]}")
