"""What browsers are told in production, read from a process that runs with those settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from config.processes import BASE_DIR

PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "0nly-f0r-the-tests-0f-the-settings-7f3b1c9d5e8a2460-x",
    "ENCRYPTION_KEY": "0nly-f0r-the-tests-0f-encrypti0n-2c9e7a4b1d6f8350-y",
    "ALLOWED_HOSTS": "app.example.com",
    "BASE_URL": "https://app.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "STRIPE_SECRET_KEY": "sk_test_check",
    "STRIPE_API_HOST": "",
    "STRIPE_TEST_CLOCK": "",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}
# Pages without a template, which need neither database nor collected files.
SCRIPT = """
import json, django, uuid
django.setup()
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string
client = Client(headers={"host": "app.example.com"})
webhook = "/stripe/webhook/%s/" % uuid.uuid4()
refused = client.post(webhook, "{}", content_type="application/json")
unsigned = client.post(webhook, "{}", content_type="application/json", secure=True)
request, told = RequestFactory().get("/"), HttpResponse()
request.session = {}
request._messages = import_string(settings.MESSAGE_STORAGE)(request)
messages.success(request, "Done.")
request._messages.update(told)
names = [name for name in dir(settings) if name.isupper()]
print(json.dumps({
    "headers": dict(client.get("/admin/", secure=True).headers),
    "unsafe": client.get("/admin/").headers["Location"],
    "webhook": [[each.status_code, each.content.decode()] for each in (refused, unsigned)],
    "message": told.cookies.output(header=""),
    "settings": {name: getattr(settings, name) for name in names},
}, default=str))
"""


@pytest.fixture(scope="module")
def told() -> Any:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=BASE_DIR,
        env=os.environ | PRODUCTION,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_page_runs_and_loads_nothing_but_our_own_files(told: Any) -> None:
    policy = dict(
        each.strip().split(" ", 1) for each in told["headers"]["Content-Security-Policy"].split(";")
    )
    assert policy == {
        "default-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self' https://checkout.stripe.com https://billing.stripe.com",
    }


def test_a_page_may_ask_a_device_for_a_passkey_and_for_nothing_else(told: Any) -> None:
    policy = dict(each.split("=") for each in told["headers"]["Permissions-Policy"].split(", "))
    allowed = {name: who for name, who in policy.items() if who != "()"}
    assert allowed == {
        "publickey-credentials-create": "(self)",
        "publickey-credentials-get": "(self)",
    }
    assert {"camera", "microphone", "geolocation", "payment", "usb"} <= policy.keys()


def test_a_page_tells_other_sites_nothing_and_is_shown_in_none(told: Any) -> None:
    wanted = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    }
    assert {name: told["headers"].get(name) for name in wanted} == wanted
    assert told["unsafe"] == "https://app.example.com/admin/"


@pytest.mark.parametrize("cookie", ["SESSION", "CSRF"])
def test_cookies_travel_encrypted_and_no_script_reads_them(told: Any, cookie: str) -> None:
    assert told["settings"][f"{cookie}_COOKIE_SECURE"] is True
    assert told["settings"][f"{cookie}_COOKIE_HTTPONLY"] is True
    assert told["settings"][f"{cookie}_COOKIE_SAMESITE"] == "Lax"


@pytest.mark.parametrize("cookie", ["SESSION", "CSRF"])
def test_no_neighbour_under_the_same_domain_sets_them(told: Any, cookie: str) -> None:
    """Browsers keep a cookie of such a name to the very host that sent it."""
    settings = told["settings"]
    assert settings[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
    assert settings[f"{cookie}_COOKIE_DOMAIN"] is None
    assert settings[f"{cookie}_COOKIE_PATH"] == "/"


def test_so_it_is_with_the_cookie_of_a_message_on_the_next_page(told: Any) -> None:
    name, _, attributes = told["message"].strip().partition("=")
    assert name == "__Host-messages"
    assert set(attributes.split("; ")[1:]) == {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}


def test_people_are_led_to_https_and_machines_are_told_that_they_sent_without(told: Any) -> None:
    """A redirect would hide from whoever runs them that all that they send can be read."""
    assert told["unsafe"].startswith("https://")
    (refused, reason), (unsigned, _) = told["webhook"]
    assert (refused, reason) == (403, "Events are taken over HTTPS alone.")
    assert unsigned == 400


def test_codes_are_soon_over(told: Any) -> None:
    """OWASP's ASVS 6.5.5: 30 seconds of an app, 10 minutes by mail."""
    assert told["settings"]["MFA_TOTP_TOLERANCE"] == 0
    assert told["settings"]["ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT"] == 600


def test_static_files_have_names_by_their_content_and_are_compressed(told: Any) -> None:
    storage = told["settings"]["STORAGES"]["staticfiles"]["BACKEND"]
    assert storage == "whitenoise.storage.CompressedManifestStaticFilesStorage"
    assert told["settings"]["WHITENOISE_USE_FINDERS"] is False
