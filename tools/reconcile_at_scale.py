"""Reconciles 10,000 organizations of which 50 drifted, killed in the middle, and counts the calls.

    python -m tools.reconcile_at_scale [--organizations 10000] [--drifted 50]

On SQLite and the sandbox, both in a directory of their own. Exits 1 if the run mended others than
those that drifted, did not print one of them, or made more calls than it may.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import django
from django.apps import apps
from django.core.management import call_command
from django.db import transaction
from django.test.utils import override_settings

from config.processes import LOCALHOST, free_port
from config.stage import SANDBOX_KEY
from tests.sandbox_process import SandboxProcess

parser = argparse.ArgumentParser(
    prog="python -m tools.reconcile_at_scale",
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
parser.add_argument("--organizations", type=int, default=10_000)
parser.add_argument("--drifted", type=int, default=50)
OPTIONS = parser.parse_args()
DIRECTORY = TemporaryDirectory(prefix="holdfast-reconcile-")
SANDBOX_FILE = Path(DIRECTORY.name) / "sandbox.sqlite3"
STRIPE_PORT = free_port()
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DEBUG": "true",
    "DATABASE_URL": f"sqlite:///{DIRECTORY.name}/holdfast.sqlite3",
    "TASKS": "thread",
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "dummymail://",
    "STRIPE_API_HOST": f"http://{LOCALHOST}:{STRIPE_PORT}",
    "STRIPE_SECRET_KEY": SANDBOX_KEY,
    "STRIPE_TEST_CLOCK": "",
    "BILLING_GRACE_DAYS": "0",
    "LOG_LEVEL": "ERROR",
    "NO_PROXY": LOCALHOST,
    "no_proxy": LOCALHOST,
}
django.setup()

from djstripe.models import Customer, Invoice, Subscription  # noqa: E402

from accounts.models import User  # noqa: E402
from billing import gateway, services  # noqa: E402
from billing.gateway.client import PAGE_SIZE  # noqa: E402
from billing.models import ReconcileFinding, ReconcileRun, Standing, TierPrice  # noqa: E402
from orgs import services as orgs  # noqa: E402
from orgs.models import Organization  # noqa: E402

BATCH = 500
# The sync of one organization, after a look at it alone: three calls for the look; for the sync
# the customer, its checkouts, subscriptions and invoices, and at most two for what it has to mend.
CALLS_EACH = 9


def main() -> None:
    sandbox = SandboxProcess(port=STRIPE_PORT, database=SANDBOX_FILE)
    with DIRECTORY, sandbox:
        say("making the tables")
        make_tables()
        template = make_template()
        say(f"copying one paying organization {OPTIONS.organizations - 1:,} times")
        sandbox.stop()
        copy_all(template)
        sandbox.start()
        drifted = let_drift(OPTIONS.drifted)
        sys.exit(not report(sandbox, drifted))


def say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def make_tables() -> None:
    without_migrations = {app.label: None for app in apps.get_app_configs()}
    with override_settings(MIGRATION_MODULES=without_migrations):
        call_command("migrate", run_syncdb=True, verbosity=0)


def make_template() -> Organization:
    """An organization that subscribed at Stripe, and is synced."""
    services.set_up_stripe(base_url="http://127.0.0.1:1")
    owner = User.objects.create_user("owner@scale.example", "a long walk by the sea")
    organization = orgs.found_organization(name="Scale", owner=owner)
    services.sync_organization(organization)
    organization.refresh_from_db()
    api: Any = gateway.api()
    card = api.payment_methods.attach("pm_card_visa", {"customer": organization.stripe_customer_id})
    price = TierPrice.objects.get(tier__key="pro", interval="month").stripe_price_id
    api.subscriptions.create(
        {
            "customer": organization.stripe_customer_id,
            "items": [{"price": price}],
            "default_payment_method": card.id,
        }
    )
    services.sync_organization(organization)
    return Organization.objects.get(pk=organization.pk)


def copy_all(template: Organization) -> None:
    """Write as many again at Stripe, and here what syncs would have written."""
    with sqlite3.connect(SANDBOX_FILE) as stripe:
        rows = stripe.execute(
            "SELECT id, kind, customer, clock, due_at, data, hidden FROM objects "
            "WHERE customer = ?1 OR id = ?1",
            [template.stripe_customer_id],
        ).fetchall()
        ids = [row[0] for row in rows]
        numbers = range(1, OPTIONS.organizations)
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            keys = {number: str(uuid4()) for number in batch}
            for number in batch:
                stripe.executemany(
                    "INSERT INTO objects (id, kind, customer, clock, due_at, data, hidden) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        tuple(copied(value, ids, number, keys[number], template) for value in row)
                        for row in rows
                    ],
                )
            copy_here(template, ids, keys)


def copied(value: Any, ids: list[str], number: int, key: str, template: Organization) -> Any:
    if not isinstance(value, str):
        return value
    for id in ids:
        value = value.replace(id, f"{id}x{number}")
    value = value.replace(str(template.standing.customer_key), key)
    return value.replace("owner@scale.example", f"owner{number}@scale.example").replace(
        '"Scale"', f'"Scale {number}"'
    )


@transaction.atomic
def copy_here(template: Organization, ids: list[str], keys: dict[int, str]) -> None:
    def copies(model: Any, row: Any) -> dict[int, Any]:
        return {
            number: model(
                **{
                    field.attname: getattr(row, field.attname)
                    for field in model._meta.concrete_fields
                    if not field.primary_key and not field.generated
                }
            )
            for number in keys
        }

    owners = copies(User, template.owner)
    for number, owner in owners.items():
        owner.email, owner.organization_id = f"owner{number}@scale.example", None
    User.objects.bulk_create(owners.values())
    for model in (Customer, Subscription, Invoice):
        original = model.objects.order_by("created", "pk").first()
        rows = copies(model, original)
        for number, row in rows.items():
            told = copied(json.dumps(original.stripe_data), ids, number, keys[number], template)
            row.id = f"{original.id}x{number}"
            row.djstripe_owner_account_id = None
            row.stripe_data = json.loads(told)
            if model is Customer:
                row.email = f"owner{number}@scale.example"
            else:
                row.customer_id = f"{original.customer_id}x{number}"
        model.objects.bulk_create(rows.values())
    organizations = copies(Organization, template)
    for number, organization in organizations.items():
        organization.name, organization.slug = f"Scale {number}", f"scale-{number}"
        organization.owner_id = owners[number].pk
        organization.stripe_customer_id = f"{template.stripe_customer_id}x{number}"
    Organization.objects.bulk_create(organizations.values())
    for number, owner in owners.items():
        owner.organization_id = organizations[number].pk
    User.objects.bulk_update(owners.values(), ["organization"])
    standings = copies(Standing, template.standing)
    for number, standing in standings.items():
        standing.organization_id = organizations[number].pk
        standing.customer_key = keys[number]
        standing.subscription_id = f"{template.standing.subscription_id}x{number}"
        standing.payment_method = copy.deepcopy(template.standing.payment_method)
    Standing.objects.bulk_create(standings.values())


def let_drift(count: int) -> set[int]:
    """Have events be lost, and somebody write around the services; return to whom it happened."""
    step = OPTIONS.organizations // count
    chosen = list(Organization.objects.order_by("pk")[::step][:count])
    for number, organization in enumerate(chosen):
        customer = str(organization.stripe_customer_id)
        if number % 3 == 0:
            (subscription,) = gateway.list_subscriptions(customer)
            gateway.cancel_subscription(subscription["id"])
        elif number % 3 == 1:
            gateway.update_customer(customer, email="elsewhere@example.com", name="Elsewhere")
        else:
            Organization.objects.filter(pk=organization.pk).update(tier=None)
    return {organization.pk for organization in chosen}


def report(sandbox: SandboxProcess, drifted: set[int]) -> bool:
    before = len(sandbox.requests())
    synced = dict(Standing.objects.values_list("organization", "synced_at"))
    began = time.monotonic()
    first = reconcile()
    while (
        run := ReconcileRun.objects.first()
    ) is None or run.looked_at < OPTIONS.organizations / 2:
        time.sleep(0.05)
        if first.poll() is not None:
            raise SystemExit(f"It ended before it was killed: {first.communicate()}")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    at = ReconcileRun.objects.get().looked_at
    say(f"killed after {at:,} customers and {time.monotonic() - began:.1f} s")
    second = reconcile()
    printed, errors = second.communicate()
    took = time.monotonic() - began

    calls = sandbox.requests()[before:]
    lists = [
        call
        for call in calls
        if call["method"] == "GET"
        and call["path"] in ("/v1/customers", "/v1/subscriptions", "/v1/invoices")
        and "customer" not in call["params"]
    ]
    mended = {
        pk
        for pk, moment in Standing.objects.values_list("organization", "synced_at")
        if moment != synced[pk]
    }
    slugs = Organization.objects.in_bulk(drifted)
    unprinted = [pk for pk in drifted if f"{slugs[pk].slug} ({pk}): " not in printed]
    pages = -(-OPTIONS.organizations // PAGE_SIZE)
    # Killed in the middle of a page, it is asked for again, as are the two short lists.
    holds = {
        f"exactly the {len(drifted)} that drifted were synced": mended == drifted,
        "each of them is printed": not unprinted,
        "it says that it goes on": "Going on after" in errors,
        "it ends with 0": second.returncode == 0,
        f"about {pages} list calls": len(lists) <= pages + 8,
        f"at most {CALLS_EACH} others each": len(calls) - len(lists) <= CALLS_EACH * len(drifted),
        "one run, all of it": ReconcileRun.objects.get().looked_at >= OPTIONS.organizations,
        "nothing is left": not ReconcileFinding.objects.left().exists(),
    }
    say(f"{OPTIONS.organizations:,} organizations, {len(drifted)} drifted, {took:.1f} s in all")
    say(f"{len(lists)} list calls, {len(calls) - len(lists)} others")
    kinds = Counter(ReconcileFinding.objects.values_list("finding", flat=True))
    say(f"findings: {dict(kinds)}")
    say(printed.strip().splitlines()[-1])
    for sentence, is_so in holds.items():
        say(f"{'ok' if is_so else 'NOT SO'}: {sentence}")
    return all(holds.values())


def reconcile() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "reconcile_billing"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


main()
