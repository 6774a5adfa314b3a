"""What is too large, too deep or too long is refused, and leaves nothing behind."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import stripe
from allauth.usersessions.models import UserSession
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from djstripe.models import Event, WebhookEndpoint

from accounts.models import UserEventLog
from config.processes import LOCALHOST, ManagedProcess, free_port
from tests.cast import PASSWORD, Cast, signed_in
from tests.kept import rows_of_all

MEGABYTE = 1_000_000
# By hand, so that it can be deeper than Python writes.
DEPTHS = [200, 2_000, 100_000]


@pytest.fixture
def endpoint(db: None) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        id="we_1", secret="whsec_test", enabled_events=["*"], url="https://x"
    )


@pytest.mark.parametrize("page", ["account_signup", "account_login", "account_reset_password"])
@pytest.mark.parametrize(
    "form",
    [
        {f"field{n}": "x" for n in range(1_001)},
        {"email": "x" * 3 * MEGABYTE},
        {f"field{n}": "x" * 300_000 for n in range(10)},
    ],
    ids=["too many fields", "too large a field", "too much in all"],
)
@pytest.mark.parametrize("is_encoded", [True, False], ids=["urlencoded", "multipart"])
def test_a_form_that_is_too_large_is_refused(
    db: None, page: str, form: dict[str, str], is_encoded: bool
) -> None:
    before = rows_of_all()
    if is_encoded:
        body = "&".join(f"{name}={value}" for name, value in form.items())
        kind = "application/x-www-form-urlencoded"
        answer: Any = Client().post(reverse(page), body, content_type=kind)
    else:
        answer = Client().post(reverse(page), form)
    assert answer.status_code == 400
    assert rows_of_all() == before


def test_a_file_that_is_sent_along_is_read_past(cast: Cast) -> None:
    file = SimpleUploadedFile("large.bin", b"x" * 8 * MEGABYTE)
    client = signed_in(cast.bob)
    answer = client.post(reverse("accounts:rename"), {"name": "Bobby", "avatar": file})
    assert answer.status_code == 302
    assert answer.wsgi_request.FILES == {}
    cast.bob.refresh_from_db()
    assert cast.bob.name == "Bobby"


def test_too_many_files_are_refused(cast: Cast) -> None:
    files: dict[str, Any] = {f"file{n}": SimpleUploadedFile("x", b"x") for n in range(101)}
    client = signed_in(cast.bob)
    answer = client.post(reverse("accounts:rename"), {"name": "Bobby"} | files)
    assert answer.status_code == 400
    cast.bob.refresh_from_db()
    assert cast.bob.name == "Bob Brown"


def post_signed(endpoint: WebhookEndpoint, body: bytes) -> Any:
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), endpoint.secret)
    return Client().post(
        reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid]),
        data=body,
        content_type="application/json",
        headers={"stripe-signature": header},
    )


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_an_event_that_is_nested_without_end_is_refused(
    endpoint: WebhookEndpoint, depth: int, brackets: tuple[str, str]
) -> None:
    opening, closing = brackets
    nested = opening * depth + "1" + closing * depth
    body = f'{{"id": "evt_1", "type": "x", "data": {{"object": {nested}}}}}'.encode()
    answer = post_signed(endpoint, body)
    is_kept = Event.objects.exists()
    assert (answer.status_code, is_kept) in {(400, False), (200, True)}
    assert depth < 1_000 or not is_kept


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1" * 5_000])
def test_an_event_with_what_is_no_json_is_refused(endpoint: WebhookEndpoint, value: str) -> None:
    body = f'{{"id": "evt_1", "type": "x", "created": {value}}}'.encode()
    assert post_signed(endpoint, body).status_code == 400
    assert not Event.objects.exists()


@pytest.mark.parametrize("length", ["2000000", "-1", "x", "1e3"])
def test_whatever_length_a_body_says_it_has_it_is_judged_before_it_is_read(
    endpoint: WebhookEndpoint, length: str
) -> None:
    body = json.dumps({"id": "evt_1", "type": "x"}).encode()
    answer = Client().generic(
        "POST",
        reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid]),
        body,
        content_type="application/json",
        CONTENT_LENGTH=length,
        headers={"stripe-signature": "t=1,v1=x"},
    )
    assert answer.status_code in {400, 413}
    assert not Event.objects.exists()


LONG = "x" * 60_000


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": LONG},
        {"x-request-id": LONG},
        {"x-forwarded-for": ", ".join(["192.0.2.1"] * 5_000)},
        {"accept-language": ",".join(["de"] * 20_000)},
        {"cookie": f"time_zone={LONG}; sessionid={LONG}; csrftoken={LONG}; messages={LONG}"},
        {"hx-current-url": LONG, "hx-request": "true"},
        {"referer": LONG},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_a_long_header_that_reaches_us_breaks_nothing_and_is_not_kept_whole(
    cast: Cast, headers: dict[str, str]
) -> None:
    form = {"login": "bob@example.com", "password": PASSWORD}
    client = Client(headers=headers)
    assert client.post(reverse("account_login"), form).status_code == 302
    line = UserEventLog.objects.get(event="login")
    assert len(line.device) <= 200
    assert len(line.request_id) <= 64
    assert len(UserSession.objects.get(user=cast.bob).user_agent) <= 200


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("request_head", "statuses"),
    [
        (b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * 70_000), {400, 414}),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n" % (b"x" * 70_000), {400, 431}),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (b"X-Many: x\r\n" * 200), {400, 431}),
    ],
    ids=["a long line", "a long header", "many headers"],
)
def test_a_server_refuses_a_head_that_is_too_long(
    running_server: int, request_head: bytes, statuses: set[int]
) -> None:
    with socket.create_connection((LOCALHOST, running_server), timeout=20) as connection:
        connection.sendall(request_head)
        status = connection.makefile("rb").readline().split()[1]
    assert int(status) in statuses


@pytest.fixture(scope="module")
def running_server() -> Any:
    port = free_port()
    with ManagedProcess("runserver", f"{LOCALHOST}:{port}", "--noreload") as server:
        server.wait_for_port(port, within=60)
        yield port
