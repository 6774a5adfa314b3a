"""Walks a transfer of ownership through a real browser, and takes the pictures of the docs.

`--directory` keeps the prepared database and cast, so that the next run need not wait for the
migrations; the story itself is played on a copy.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import FloatRect, Locator, Page, sync_playwright

from config.stage import Stage
from tests.browser import chromium

OWNER = "cleo@example.com"
MEMBER = "cyrus@example.com"
STAFF = "dana@example.com"
SLUG = "cedar-works"
WISH = "I leave the company at the end of the month. Cyrus runs the workshop already."
REASON = "Cleo asked for it, and confirmed on the phone."

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTH = 1000
# Pages that are longer are taken in full.
LEAST_HEIGHT = 400
MARGIN = 10


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--directory", type=Path, help="keep the prepared stage here")
    kept: Path | None = arguments.parse_args().directory
    with TemporaryDirectory(prefix="holdfast-") as scratch:
        directory = Path(scratch)
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
            with Stage(kept, say=print, with_cast=True):
                pass
            shutil.copytree(kept, directory, dirs_exist_ok=True)
        with Stage(directory, say=print, with_cast=True) as stage:
            take_pictures(stage)


def take_pictures(stage: Stage) -> None:
    PICTURES.mkdir(exist_ok=True)
    password = password_in(stage.cast)
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for person, story in ((OWNER, ask), (STAFF, answer)):
            page = browser.new_page(
                base_url=stage.url,
                color_scheme="light",
                reduced_motion="reduce",
                viewport={"width": WIDTH, "height": LEAST_HEIGHT},
            )
            chromium.log_in(page, person, password)
            story(page, password)
        browser.close()


def password_in(introduction: str) -> str:
    """Return the password that the planted cast logs in with."""
    match = re.search(r"with the password (\S+) as", introduction)
    assert match is not None, introduction
    return match[1]


def ask(page: Page, password: str) -> None:
    """The owner wishes to hand the organization on."""
    page.goto("/organization/")
    page.get_by_role("link", name="Hand over ownership").click()
    chromium.fill_in_request(page, to=MEMBER, reason=WISH)
    take(page, "1-request")
    chromium.send_request(page)


def answer(page: Page, password: str) -> None:
    """Staff set up a second factor, look, mistype, and hand it on."""
    page.goto("/accounts/2fa/totp/activate/")
    chromium.confirm_password(page, password)
    chromium.switch_second_factor_on(page)
    page.goto("/admin/")
    page.get_by_role("link", name="Requests for a transfer of ownership", exact=True).click()
    page.get_by_role("button", name="Toggle navigation").click()
    # The table scrolls when it is wider than the page.
    way = page.get_by_role("link", name="Look at the transfer")
    way.scroll_into_view_if_needed()
    take(page, "2-queue")
    way.click()
    page.get_by_role("button", name="Transfer ownership").wait_for()
    take(page, "3-preview")
    chromium.confirm_transfer(page, slug="cedar", reason=REASON)
    page.get_by_text("Nothing was changed").wait_for()
    take(page, "4-refusal", part=page.locator("#transfer-form"))
    chromium.confirm_transfer(page, slug=SLUG, reason=REASON)
    page.get_by_role("link", name="All transfers of this organization").wait_for()
    take(page, "5-record")


def take(page: Page, name: str, *, part: Locator | None = None) -> None:
    """Take a picture of the page, or of a part of it in the page's full width."""
    path = PICTURES / f"transfer-{name}.png"
    page.wait_for_load_state()
    page.screenshot(path=path, full_page=True, clip=strip(part) if part else None)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def strip(part: Locator) -> FloatRect:
    box = part.bounding_box()
    assert box is not None
    return {
        "x": 0,
        "y": box["y"] - MARGIN,
        "width": WIDTH,
        "height": box["height"] + 2 * MARGIN,
    }


if __name__ == "__main__":
    main()
