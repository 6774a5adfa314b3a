from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import Settings

from tests.language.pseudo_locale import LANGUAGE, write_catalogue


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    write_catalogue(folder)
    return folder


@pytest.fixture
def pseudo_locale(catalogue: Path, settings: Settings) -> Iterator[None]:
    """The pseudo-locale is there, is asked for, and is what is spoken outside of requests."""
    settings.LOCALE_PATHS = [catalogue]
    settings.LANGUAGES = [("en", "English"), (LANGUAGE, "Pseudo")]
    with translation.override(LANGUAGE):
        yield
