"""How gunicorn serves the product: `gunicorn`, in this directory, reads it.

What differs between machines comes from gunicorn's own variables: WEB_CONCURRENCY (processes), PORT
(listens on every address), GUNICORN_CMD_ARGS (anything else, such as `--bind`).
"""

import os
from pathlib import Path

wsgi_app = "config.wsgi"

# Whoever waits for Stripe or the mail server holds up a thread, and not a process.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
# Each process imports the product for itself, so that SIGHUP puts new code in the place of the old,
# one process after the other.
preload_app = False

# Seconds after which a process that shows no sign of life is ended. Its threads may take longer.
timeout = 60
# Seconds in which a process that is told to end answers what it has in hand and works off its
# tasks. Whatever tells it must wait for longer before it kills. What is cut off is marked, and done
# by the next sweep.
graceful_timeout = 30
# Longer than a proxy keeps its idle connections: it would send a request into a closed one.
keepalive = 75

# Whatever leaks is given back, by one process after the other.
max_requests = 10_000
max_requests_jitter = 1_000

# Signs of life are files; on a disk, a slow write would look like death.
if Path("/dev/shm").is_dir():
    worker_tmp_dir = "/dev/shm"

# Whose headers count is said once, to Django: BEHIND_TLS_PROXY, TRUSTED_PROXIES.
secure_scheme_headers: dict[str, str] = {}
forwarded_allow_ips = ""

# The product writes a line for each request, with a route where gunicorn would have a path.
accesslog = None
control_socket_disable = True
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        # It tells each process that there is no .env.
        "environ": {"level": "WARNING"},
    },
}
