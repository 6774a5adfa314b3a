"""Serves the settings of DJANGO_SETTINGS_MODULE: `python -m bench.webhooks_server`.

Two processes, and in each a few threads that live on and keep their database connections, as
production servers have them; Django's runserver makes a thread, and so a connection, for each
request.
"""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application

from config.processes import LOCALHOST

PROCESSES = 2
# In each of them.
THREADS = 4


class Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(WSGIServer):
    # The whole burst may wait in line.
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__((LOCALHOST, 0), Handler)
        self._threads = ThreadPoolExecutor(THREADS)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._threads.submit(self._answer, request, client_address)

    def _answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)


def fork_children() -> list[int]:
    """Start the other processes, which answer at the same address; none in each of those."""
    children: list[int] = []
    for _ in range(PROCESSES - 1):
        child = os.fork()
        if child == 0:
            return []
        children.append(child)
    return children


def main() -> None:
    server = Server()
    children = fork_children()
    server.set_app(get_wsgi_application())
    if children:
        signal.signal(signal.SIGTERM, lambda *_signal: stop(children))
        sys.stdout.write(f"http://{LOCALHOST}:{server.server_port}\n")
        sys.stdout.flush()
    server.serve_forever()


def stop(children: list[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGTERM)
    os._exit(0)


if __name__ == "__main__":
    main()
