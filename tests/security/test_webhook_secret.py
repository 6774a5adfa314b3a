"""The webhook endpoint gets another secret while events go on arriving (docs/keys.md)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command
from djstripe.models import WebhookEndpoint

from accounts.encryption import decrypt
from billing import gateway
from tests.sandbox_process import SandboxProcess


def renew(base_url: str, *args: str) -> str:
    out = io.StringIO()
    call_command("stripe_setup", "--renew-webhook-secret", *args, base_url=base_url, stdout=out)
    return out.getvalue()


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_another_secret_and_events_arrive_by_it(
    wired_account: SandboxProcess, live_server: Any
) -> None:
    before = WebhookEndpoint.objects.get()
    assert "events arrive, and their signatures hold" in renew(live_server.url)
    after = WebhookEndpoint.objects.get()
    assert decrypt(after.secret).startswith("whsec_")
    assert decrypt(after.secret) != decrypt(before.secret)
    assert after.djstripe_uuid != before.djstripe_uuid
    assert [each["id"] for each in gateway.list_webhook_endpoints()] == [after.id]


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_the_new_one_is_there_before_the_old_one_goes(
    wired_account: SandboxProcess, live_server: Any
) -> None:
    seen = len(wired_account.requests())
    renew(live_server.url, "--no-proof")
    changes = [
        call["method"]
        for call in wired_account.requests()[seen:]
        if "webhook_endpoints" in call["path"] and call["method"] != "GET"
    ]
    assert changes == ["POST", "DELETE"]


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_a_dry_run_keeps_the_secret(wired_account: SandboxProcess, live_server: Any) -> None:
    before = WebhookEndpoint.objects.get()
    printed = renew(live_server.url, "--dry-run")
    assert "with another secret" in printed
    assert WebhookEndpoint.objects.get().secret == before.secret
