"""The sandbox as a process: server, courier and ticking clock, until a signal ends them."""

import logging
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from sandbox.address import set_base_url
from sandbox.billing.timeline import tick
from sandbox.courier import courier
from sandbox.database import database

logger = logging.getLogger("sandbox.server")

HOST = "127.0.0.1"
TICK = 1.0


class Handler(WSGIRequestHandler):
    # Headers and body go out separately; on a connection that is kept alive, the second would
    # otherwise wait 40 ms for the first to be acknowledged.
    disable_nagle_algorithm = True

    def get_environ(self) -> dict[str, Any]:
        """Hand the connection on, so that the weather can break it."""
        return {**super().get_environ(), "sandbox.connection": self.connection}


class Server(ThreadedWSGIServer):
    # A burst of test clients must not be refused.
    request_queue_size = 128


def bind(port: int) -> Server:
    """Take the port (0: a free one), or raise OSError if it is busy."""
    server = Server((HOST, port), Handler)
    server.set_app(WSGIHandler())
    return server


def run(server: Server, path: Path, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, and announce once that it is ready."""
    url = f"http://{HOST}:{server.server_port}"
    set_base_url(url)
    database.open(path)
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    courier.start()
    announce(f"Sandbox ready at {url}")
    while not stopping.wait(TICK):
        try:
            tick()
        except Exception:
            logger.exception("The sandbox could not do what was due")
    courier.stop()
    server.shutdown()
    server.server_close()
    database.close()
