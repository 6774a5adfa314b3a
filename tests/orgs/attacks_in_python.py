"""The attacks through Django and in the admin: one line each, run by `test_attacks`.

Those through Django are also among the attacks in SQL: the database refuses them without Python.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.serializers import serialize
from django.db import models
from django.db.models import Case, F, When
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserEventLog, UserType
from orgs.models import Organization, OwnershipTransfer
from tests.orgs.attacks import Stage


def save(row: models.Model, *update_fields: str, **values: Any) -> None:
    row = type(row)._base_manager.get(pk=row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=update_fields or None)


def update(row: models.Model, **values: Any) -> int:
    return rows(row).update(**values)


def rows(row: models.Model) -> models.QuerySet[Any]:
    return type(row)._base_manager.filter(pk=row.pk)


def load(row: models.Model, **values: Any) -> None:
    """Put a fixture of this row, changed, through loaddata."""
    (fixture,) = json.loads(serialize("json", [row]))
    fixture["fields"] |= values
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "row.json")
        path.write_text(json.dumps([fixture]))
        call_command("loaddata", str(path), verbosity=0)


def upsert(row: models.Model, *update_fields: str, **values: Any) -> None:
    (row,) = rows(row)
    for name, value in values.items():
        setattr(row, name, value)
    type(row)._base_manager.bulk_create(
        [row], update_conflicts=True, unique_fields=["id"], update_fields=update_fields
    )


def swap_owners(s: Stage) -> int:
    swapped = Case(When(pk=s.cast.acme.pk, then=s.beta.owner_id), default=s.cast.alice.pk)
    return Organization.objects.filter(pk__in=[s.cast.acme.pk, s.beta.pk]).update(owner_id=swapped)


def write(giver: User, taker: User, organization: Organization) -> None:
    OwnershipTransfer.objects.create(
        organization=organization, from_owner=giver, to_owner=taker, reason="Taken."
    )


def last_line() -> UserEventLog:
    return UserEventLog.objects.latest("pk")


def fall_over_halfway(s: Stage) -> None:
    write(s.cast.alice, s.cast.bob, s.cast.acme)
    update(s.cast.alice, organization=None)
    update(s.cast.bob, is_active=False)


RETURNING = "UPDATE orgs_organization SET owner_id = %s WHERE id = %s RETURNING *"
THROUGH_DJANGO: dict[str, Callable[[Stage], object]] = {
    "save": lambda s: save(s.cast.acme, owner=s.cast.bob),
    "save, update_fields": lambda s: save(s.cast.acme, "owner", owner=s.cast.bob),
    "save, force_insert": lambda s: Organization(
        pk=s.cast.acme.pk, name="Acme", slug="anew", owner=s.cast.bob
    ).save(force_insert=True),
    "update": lambda s: update(s.cast.acme, owner=s.cast.bob),
    "update, F": lambda s: update(s.cast.acme, owner_id=F("owner_id") + 1),
    "update, swapped": swap_owners,
    "bulk_update": lambda s: Organization.objects.bulk_update(
        [Organization(pk=s.cast.acme.pk, owner=s.cast.bob)], ["owner"]
    ),
    "bulk_create, update_conflicts": lambda s: upsert(s.cast.acme, "owner", owner=s.cast.bob),
    "update_or_create": lambda s: Organization.objects.update_or_create(
        pk=s.cast.acme.pk, defaults={"owner": s.cast.bob}
    ),
    "raw": lambda s: list(Organization.objects.raw(RETURNING, [s.cast.bob.pk, s.cast.acme.pk])),
    "related manager": lambda s: s.cast.bob.owned_organizations.add(s.cast.acme),
    "loaddata": lambda s: load(s.cast.acme, owner=s.cast.bob.pk),
    "outsider founds": lambda s: Organization.objects.create(
        name="Thieves", slug="thieves", owner=s.cast.charlie
    ),
    "organization: delete": lambda s: s.cast.acme.delete(),
    "organization: QuerySet.delete": lambda s: rows(s.cast.acme).delete(),
    "organization: _raw_delete": lambda s: rows(s.cast.acme)._raw_delete("default"),
    "owner: save": lambda s: save(s.cast.alice, "is_active", is_active=False),
    "owner: deactivated": lambda s: update(s.cast.alice, is_active=False),
    "owner: soft-deleted": lambda s: update(
        s.cast.alice, deleted_at=timezone.now(), is_active=False
    ),
    "owner: moved": lambda s: update(s.cast.alice, organization=s.beta),
    "owner: moved by loaddata": lambda s: load(s.cast.alice, organization=s.beta.pk),
    "owner: deactivated by loaddata": lambda s: load(s.cast.alice, is_active=False),
    "owner: removed from the members": lambda s: s.cast.acme.members.remove(s.cast.alice),
    "owner: all members cleared": lambda s: s.cast.acme.members.clear(),
    "owner: user_type": lambda s: update(
        s.cast.alice, user_type=UserType.DEVELOPER, organization=None
    ),
    "owner: bulk_update": lambda s: User.objects.bulk_update(
        [User(pk=s.cast.alice.pk, is_active=False)], ["is_active"]
    ),
    "owner: upsert": lambda s: upsert(s.cast.alice, "is_active", is_active=False),
    "owner: delete": lambda s: s.cast.alice.delete(),
    "owner: QuerySet.delete": lambda s: rows(s.cast.alice).delete(),
    "owner: _raw_delete": lambda s: rows(s.cast.alice)._raw_delete("default"),
    "transfer: false from_owner": lambda s: write(s.cast.bob, s.cast.alice, s.cast.acme),
    "transfer: of another organization": lambda s: write(s.cast.alice, s.cast.bob, s.beta),
    "transfer: to an outsider": lambda s: write(s.cast.alice, s.cast.charlie, s.cast.acme),
    "transfer: to a developer": lambda s: write(s.cast.alice, s.cast.dana, s.cast.acme),
    "transfer: to an inactive member": lambda s: write(s.cast.alice, s.inactive, s.cast.acme),
    "transfer: halfway, then refused": fall_over_halfway,
    "transfer: save": lambda s: save(s.returned, reason="Another."),
    "transfer: update": lambda s: update(s.returned, to_owner=s.cast.bob, from_owner=s.cast.dana),
    "transfer: loaddata": lambda s: load(s.given, reason="Another."),
    "transfer: upsert": lambda s: upsert(s.given, "reason", reason="Another."),
    "transfer: delete": lambda s: OwnershipTransfer.objects.latest("pk").delete(),
    "transfer: QuerySet.delete": lambda s: OwnershipTransfer.objects.all().delete(),
    "transfer: _raw_delete": lambda s: rows(s.returned)._raw_delete("default"),
    "log: save": lambda s: save(last_line(), event="nothing_happened"),
    "log: update": lambda s: UserEventLog.objects.update(actor=None),
    "log: bulk_update": lambda s: UserEventLog.objects.bulk_update([last_line()], ["event"]),
    "log: loaddata": lambda s: load(last_line(), event="nothing_happened"),
    "log: upsert": lambda s: upsert(last_line(), "event", event="nothing_happened"),
    "log: delete": lambda s: last_line().delete(),
    "log: QuerySet.delete": lambda s: UserEventLog.objects.all().delete(),
    "log: _raw_delete": lambda s: rows(last_line())._raw_delete("default"),
}


# --- In the admin -----------------------------------------------------------------------------


def page(row: models.Model | type[models.Model], name: str, *args: object) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=args)


def change(row: models.Model) -> str:
    return page(row, "change", row.pk)


def forms(prefix: str, row: models.Model | None = None, **values: object) -> dict[str, object]:
    """A formset of one form, as a browser would send it."""
    form = {f"{prefix}-0-{name}": value for name, value in values.items()}
    form |= {f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-INITIAL_FORMS": 1 if row else 0}
    return form | {f"{prefix}-0-id": row.pk if row else "", "_save": "Save"}


def delete(client: Client, row: models.Model) -> list[Any]:
    """Delete by the row's own page, and by the list's action."""
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    by_page = client.post(page(row, "delete", row.pk), {"post": "yes"})
    return [by_page, client.post(page(row, "changelist"), chosen)]


ACME = {"name": "Acme", "slug": "acme", "billing_email": ""}
ALICE = {"name": "Alice Adams", "email": "alice@example.com"}
IN_THE_ADMIN: dict[str, Callable[[Client, Stage], Any]] = {
    "owner by hand": lambda c, s: c.post(
        change(s.cast.acme), ACME | forms("ownership_transfers") | {"owner": s.cast.bob.pk}
    ),
    "transfer by hand": lambda c, s: c.post(
        change(s.cast.acme),
        ACME | forms("ownership_transfers", from_owner=s.cast.alice.pk, to_owner=s.cast.bob.pk),
    ),
    "organization added": lambda c, s: c.post(
        page(Organization, "add"), ACME | {"slug": "anew", "owner": s.cast.bob.pk}
    ),
    "list_editable, owner": lambda c, s: c.post(
        page(Organization, "changelist"), forms("form", s.cast.acme, owner=s.cast.bob.pk)
    ),
    "list_editable, is_active": lambda c, s: c.post(
        page(User, "changelist"), forms("form", s.cast.alice, is_active="")
    ),
    "owner deactivated": lambda c, s: c.post(change(s.cast.alice), ALICE),
    "owner moved": lambda c, s: c.post(
        change(s.cast.alice), ALICE | {"is_active": "on", "organization": s.beta.pk}
    ),
    "owner made a developer": lambda c, s: c.post(
        change(s.cast.alice), ALICE | {"is_active": "on", "user_type": "developer"}
    ),
    "transfer added": lambda c, s: c.post(
        page(OwnershipTransfer, "add"),
        {"organization": s.cast.acme.pk, "from_owner": s.cast.alice.pk, "to_owner": s.cast.bob.pk},
    ),
    "transfer changed": lambda c, s: c.post(change(s.returned), {"reason": "Another."}),
    "line changed": lambda c, s: c.post(change(last_line()), {"event": "nothing_happened"}),
    "owner deleted": lambda c, s: delete(c, s.cast.alice),
    "organization deleted": lambda c, s: delete(c, s.cast.acme),
    "transfer deleted": lambda c, s: delete(c, s.returned),
    "line deleted": lambda c, s: delete(c, last_line()),
}
