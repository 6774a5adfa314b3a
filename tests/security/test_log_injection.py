"""Nobody writes a line of their own into the log on standard error."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Cast

FORGED = "\nCRITICAL accounts: everything was deleted\x1b[2K"


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.get("/nowhere/%0ACRITICAL%20accounts:%20everything%20was%20deleted/"),
        lambda client: client.get("/", HTTP_HOST="evil\nCRITICAL accounts: everything was deleted"),
        lambda client: client.post(reverse("account_login"), {"login": FORGED, "password": FORGED}),
        lambda client: client.post("/stripe/webhook/x/", {"a": FORGED}),
        lambda client: client.get("/", headers={"x-request-id": FORGED, "user-agent": FORGED}),
        lambda client: client.get("/accounts/login/", {"next": FORGED}),
    ],
    ids=["path", "host", "form", "webhook", "headers", "next"],
)
def test_each_request_is_told_in_lines_of_ours(
    cast: Cast, ask: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(ask)
    formatter = logging.Formatter("{asctime} {levelname} {name}: {message}", style="{")
    with caplog.at_level("INFO"):
        ask(Client())
    for record in caplog.records:
        record.exc_info = record.exc_text = None
        first, *others = formatter.format(record).splitlines()
        assert others == [], first
        assert "\x1b" not in first
