"""Tasks on a thread of this process: nobody waits for them, and their failures stop nobody."""

from __future__ import annotations

import threading

import pytest
from django_tasks import task
from pytest_django import Settings

ran: list[str] = []
done = threading.Event()


@task()
def note_thread() -> None:
    ran.append(threading.current_thread().name)
    done.set()


@task()
def fail() -> None:
    raise RuntimeError("as planned")


@pytest.fixture(autouse=True)
def _threads(settings: Settings) -> None:
    settings.TASKS = {"default": {"BACKEND": "billing.tasks.ThreadBackend"}}
    ran.clear()
    done.clear()


def test_a_task_runs_on_another_thread_even_after_one_that_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fail.enqueue()
    note_thread.enqueue()
    assert done.wait(timeout=10)
    assert ran == ["tasks_0"]
    assert "RuntimeError" in caplog.text
