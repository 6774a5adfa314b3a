from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import close_old_connections, connections
from django_tasks.backends.immediate import ImmediateBackend
from django_tasks.base import TaskResult

from billing.metrics import THREAD_TASKS

# One thread: a process works off its own wake-up calls in turn.
_executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tasks")


def wait_until_idle() -> None:
    """Return when everything that was enqueued in this process until now has run."""
    _executor.submit(lambda: None).result()


class ThreadBackend(ImmediateBackend):
    """Run tasks in this process, on a thread of their own, so that no request waits for them.

    Nothing is kept: what a task must do is marked in the database before it is enqueued, and a
    task that dies with its process is repeated by `manage.py sync_billing --due`.
    """

    def _execute_task(self, task_result: TaskResult[Any]) -> None:
        THREAD_TASKS.inc()
        _executor.submit(self._run, task_result)

    def _run(self, task_result: TaskResult[Any]) -> None:
        THREAD_TASKS.dec()
        close_old_connections()
        try:
            super()._execute_task(task_result)
        finally:
            connections.close_all()
