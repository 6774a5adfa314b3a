"""What a person does in a browser, for the tests here and in tests/pictures.

It knows nothing of Django: it sees what a person sees. A click does not wait for the page that it
leads to, so each of these ends by waiting for it, unless whoever calls it must say what comes.
"""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time

from playwright.sync_api import Browser, Page, Playwright

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
PERIOD = 30
# Seconds that a code must still hold, to be typed and sent.
ENOUGH = 5


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)


def one_time_code(secret: str) -> str:
    """Return what an authenticator app shows now (RFC 6238); wait for the next, if it is old."""
    left = PERIOD - time.time() % PERIOD
    if left < ENOUGH:
        time.sleep(left)
    counter = struct.pack(">Q", int(time.time()) // PERIOD)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return f"{(number & 0x7FFFFFFF) % 10**6:06}"


def log_in(page: Page, email: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile(r"^(?!.*/accounts/login/)"))


def confirm_password(page: Page, password: str) -> None:
    """Answer the question whether it is you, which stands before what is sensitive."""
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(re.compile(r"^(?!.*/reauthenticate/)"))


def fill_in_request(page: Page, *, to: str, reason: str) -> None:
    """As the owner, on the page with the form. `to` is an e-mail address."""
    people = page.get_by_label("New owner")
    people.select_option(people.locator("option", has_text=to).get_attribute("value"))
    page.get_by_label("Reason").fill(reason)


def send_request(page: Page) -> None:
    page.get_by_role("button", name="Send the request").click()
    page.get_by_role("button", name="Withdraw the request").wait_for()


def switch_second_factor_on(page: Page) -> str:
    """On the page with the key: type its code in. Return the key."""
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Authenticator code").fill(one_time_code(secret))
    page.get_by_role("button", name="Switch it on").click()
    page.get_by_role("link", name="Download them").wait_for()
    return secret


def confirm_transfer(page: Page, *, slug: str, reason: str) -> None:
    """As staff, on the page that shows what would change. What comes depends on the slug."""
    page.get_by_label("Reason").fill(reason)
    page.get_by_label("The organization's slug").fill(slug)
    page.get_by_role("button", name="Transfer ownership").click()
