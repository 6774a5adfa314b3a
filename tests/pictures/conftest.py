from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from config.processes import BASE_DIR
from tests.browser import chromium
from tests.browser.looking import WIDTHS
from tests.pictures.gallery import Gallery

# In all sizes it takes minutes: LOOK_CLOSELY=1 make screenshots.
WIDTHS_LOOKED_AT = WIDTHS if os.environ.get("LOOK_CLOSELY") else (max(WIDTHS),)
DIRECTORY = Path(os.environ.get("SCREENSHOTS") or BASE_DIR / "docs" / "screenshots").resolve()


@pytest.fixture(scope="session")
def gallery() -> Iterator[Gallery]:
    """All pictures of a run, taken by one browser; laid out when all are there."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, where Django refuses its database. Here the
        # states are made between the pictures, and nothing runs at the same time.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        gallery = Gallery(DIRECTORY, chromium.launch(playwright), WIDTHS_LOOKED_AT)
        yield gallery
        gallery.hang()
        assert gallery.missing() == []
