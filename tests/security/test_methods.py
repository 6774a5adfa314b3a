"""What no page is made for, none takes; and none tells what was sent to it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import Cast, signed_in
from tests.matrix import names_of
from tests.test_impersonation_matrix import address_of

SENT = "only-in-the-header"


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
def test_no_page_tells_the_request_back(cast: Cast, method: str) -> None:
    headers = {"X-Told": SENT, "Authorization": f"Bearer {SENT}"}
    names = [name for name in names_of() if not name.startswith("admin:")]
    for client in (Client(), signed_in(cast.alice)):
        for name in names:
            answer = client.generic(method, address_of(name), headers=headers)
            assert answer.status_code in {302, 400, 403, 404, 405, 409, 410, 200}, name
            assert SENT not in b"".join(answer).decode(), name
