"""Exits 1 unless the web server of this container answers that it lives."""

import os
import sys
import urllib.error
import urllib.request

URL = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/health/live"
# Proxies are for the outside world.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

try:
    DIRECT.open(URL, timeout=4).close()
except OSError as error:
    sys.exit(f"{URL}: {error}")
