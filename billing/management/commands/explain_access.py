from __future__ import annotations

import argparse
from typing import Any

from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from billing.explanations import explain_access
from orgs import clock
from orgs.models import Organization


class Command(BaseCommand):
    help = "Say why a person can or cannot come in, and do something, in sentences."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("permission", nargs="?", help="app.codename: orgs.invite_members")
        parser.add_argument(
            "--organization", metavar="SLUG", help="where; without it, the person's own"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = User.objects.normalize_email(options["email"])
        user = User.objects.get_queryset().with_access().filter(email=email).first()
        if user is None:
            raise CommandError(f"There is nobody with the address {email}.")
        organization = user.organization
        if options["organization"]:
            organization = Organization.objects.filter(slug=options["organization"]).first()
            if organization is None:
                raise CommandError(f"There is no organization {options['organization']}.")
        permission = options["permission"]
        if permission is not None:
            self._require_known(permission)
        for sentence in explain_access(user, permission, organization, clock.now()):
            self.stdout.write(sentence)

    def _require_known(self, permission: str) -> None:
        app, _dot, codename = permission.partition(".")
        known = Permission.objects.filter(content_type__app_label=app, codename=codename)
        if not known.exists():
            raise CommandError(f"There is no permission {permission}. One is orgs.invite_members.")
