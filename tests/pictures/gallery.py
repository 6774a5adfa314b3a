"""Takes pictures of pages, says what is wrong with those that it took, and lays them out.

`docs/screenshots/` has what the docs show, and one picture of all of them; `all/` in it has each in
full, with a page that names its state, and is not committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Error, FloatRect, Locator, Page

from accounts.models import User
from tests.browser.looking import WHOLE, faults

WIDTH, HEIGHT, PHONE = 1280, 800, 375
MARGIN = 10
# So much of a long page is in the docs.
MOST_SHOWN = 1300
# Milliseconds until a page that does not come is given up.
PATIENCE = 15_000
SHEET = "contact-sheet.jpg"


@dataclass(frozen=True)
class Picture:
    group: str
    # What is seen, and in which state.
    title: str
    file: str


@dataclass
class Visit:
    """Somebody's browser, and what its console said since it was last asked."""

    page: Page
    said: list[str] = field(default_factory=list)


class Gallery:
    def __init__(self, directory: Path, browser: Browser, widths: Iterable[int]) -> None:
        """`widths` are those at which axe looks at each page, in light and in dark."""
        self.directory = directory
        self._widths = tuple(widths)
        self.everything = directory / "all"
        self.everything.mkdir(parents=True, exist_ok=True)
        self.pictures: list[Picture] = []
        # The names of the URLs that have one.
        self.names: set[str] = set()
        # What is wrong with a page, each with its title.
        self.faults: list[str] = []
        self._browser = browser

    @contextmanager
    def visit(
        self,
        server: str,
        person: User | None = None,
        *,
        width: int = WIDTH,
        height: int = HEIGHT,
    ) -> Iterator[Visit]:
        """Open a browser of its own, signed in as a person."""
        context = self._browser.new_context(
            base_url=server,
            color_scheme="light",
            reduced_motion="reduce",
            viewport={"width": width, "height": height},
        )
        if person is not None:
            client = Client()
            client.force_login(person)
            name = settings.SESSION_COOKIE_NAME
            value = client.cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": server}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        visit = Visit(page)
        page.on("console", lambda told: visit.said.append(f"{told.text} {told.location['url']}"))
        page.on("pageerror", lambda error: visit.said.append(str(error)))
        yield visit
        context.close()

    def take(
        self,
        visit: Visit,
        group: str,
        title: str,
        path: str | None = None,
        *,
        status: int = 200,
        also: bool = False,
        shown_as: str = "",
    ) -> None:
        """Take a picture of what is at `path`, or of the page that is open.

        `status` is the answer that is meant; `also` takes it on a phone and in the dark, too;
        `shown_as` is the name of the part of it that the docs show. A page that fails is noted, and
        the others go on.
        """
        try:
            if path is not None:
                answer = visit.page.goto(path)
                if answer is None or answer.status != status:
                    met = answer.status if answer else "nothing"
                    raise Error(f"answered {met} instead of {status}")
            self._take(visit.page, group, title, also, shown_as)
            self.faults += [f"{title}: {each}" for each in self._looked_at(visit.page)]
        except Error as error:
            self.faults.append(f"{title} ({path or visit.page.url}): {error.message}")
        # Chromium notes each answer above 399; Django's admin names no icon.
        meant = (f"status of {status} ", "/favicon.ico")
        self.faults += [
            f"{title} ({visit.page.url}): {line}"
            for line in visit.said
            if not any(words in line for words in meant)
        ]
        visit.said.clear()

    def _looked_at(self, page: Page) -> list[str]:
        """Return what axe finds in light and dark; what stands around pages of the admin is
        Django's."""
        within = "#content" if urlsplit(page.url).path.startswith("/admin/") else WHOLE
        found = faults(page, within, self._widths)
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        page.emulate_media(color_scheme="light")
        return found

    def _take(self, page: Page, group: str, title: str, also: bool, shown_as: str) -> None:
        name = "".join(each if each.isalnum() else "-" for each in f"{group} {title}".lower())
        self._save(page, Picture(group, title, f"{name}.png"))
        if shown_as:
            height = min(page.evaluate("document.documentElement.scrollHeight"), MOST_SHOWN)
            page.screenshot(
                path=self.directory / f"{shown_as}.png",
                full_page=True,
                clip={"x": 0, "y": 0, "width": WIDTH, "height": height},
            )
        if also:
            page.set_viewport_size({"width": PHONE, "height": HEIGHT})
            self._save(page, Picture(group, f"{title}, on a phone", f"{name}-phone.png"))
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            self._save(page, Picture(group, f"{title}, in the dark", f"{name}-dark.png"), "dark")
            page.emulate_media(color_scheme="light")

    def _save(
        self, page: Page, picture: Picture, scheme: Literal["light", "dark"] = "light"
    ) -> None:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_load_state()
        page.evaluate("document.getAnimations().forEach((each) => each.finish())")
        page.screenshot(path=self.everything / picture.file, full_page=True)
        with suppress(Resolver404):
            self.names.add(resolve(urlsplit(page.url).path).view_name)
        self.pictures.append(picture)

    def take_for_docs(self, visit: Visit, name: str, *, part: Locator | None = None) -> None:
        """Take a picture of the page that is open, or of a part of it in the page's full width."""
        visit.page.wait_for_load_state()
        path = self.directory / f"{name}.png"
        visit.page.screenshot(path=path, full_page=True, clip=_strip(part) if part else None)

    def told(self) -> list[str]:
        """Return what was wrong since it was last asked."""
        told, self.faults = self.faults, []
        return told

    def hang(self) -> None:
        """Write the page with all pictures, and take the one picture of it."""
        index = self.everything / "index.html"
        index.write_text(self._sheet(), encoding="utf-8")
        page = self._browser.new_page(viewport={"width": 1600, "height": HEIGHT})
        page.goto(index.as_uri())
        page.screenshot(
            path=self.directory / SHEET, full_page=True, type="jpeg", quality=60, scale="css"
        )
        page.close()

    def missing(self) -> list[str]:
        """Return the names of pictures that are not there, or empty."""
        files = [self.directory / SHEET, *(self.everything / each.file for each in self.pictures)]
        return [file.name for file in files if not file.exists() or not file.stat().st_size]

    def _sheet(self) -> str:
        def by_group(picture: Picture) -> str:
            return picture.group

        groups = [
            f"<h2>{escape(group)}</h2><ul>{''.join(map(_thumbnail, pictures))}</ul>"
            for group, pictures in groupby(sorted(self.pictures, key=by_group), by_group)
        ]
        return f"{HEAD}<h1>Holdfast, page by page</h1>{''.join(groups)}</main></body></html>\n"


def _strip(part: Locator) -> FloatRect:
    box, size = part.bounding_box(), part.page.viewport_size
    assert box is not None
    assert size is not None
    height = box["height"] + 2 * MARGIN
    return {"x": 0, "y": box["y"] - MARGIN, "width": size["width"], "height": height}


def _thumbnail(picture: Picture) -> str:
    title = escape(picture.title)
    return (
        f'<li><a href="{picture.file}"><img src="{picture.file}" alt="{title}" loading="eager">'
        f"</a><p>{title}</p></li>"
    )


HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Holdfast, page by page</title><style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 24px; background: #eef1f4; color: #1f2933; }
ul { display: grid; grid-template-columns: repeat(auto-fill, 180px); gap: 16px; padding: 0; }
li { list-style: none; }
a { display: block; height: 200px; overflow: hidden; background: #fff; border: 1px solid #cbd2d9; }
img { width: 100%; }
p { margin: 4px 0 0; }
</style></head><body><main>
"""
