"""Serves the settings of DJANGO_SETTINGS_MODULE: `python -m bench.webhooks_server`.

A few threads that live on and keep their database connections, as production servers have them;
Django's runserver makes a thread, and so a connection, for each request.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application

from config.processes import LOCALHOST

THREADS = 8


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


def main() -> None:
    server = Server()
    server.set_app(get_wsgi_application())
    sys.stdout.write(f"http://{LOCALHOST}:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
