from __future__ import annotations

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.cast import Cast, make_cast


@pytest.fixture(autouse=True)
def _quick_and_alone(settings: Settings) -> None:
    """Cheap password hashes, tasks that run when they are enqueued, and no rate limit's past."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()
