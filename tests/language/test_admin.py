"""Every page of our own admin in the pseudo-locale. Those of dj-stripe's rows are dj-stripe's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse

from accounts.events import Event
from accounts.models import UserEventLog
from billing.models import Standing
from orgs.models import Organization, Role
from tests.kept import put_back
from tests.language.data import OURS
from tests.language.reading import Answers, asking, english, everybody_reads_it
from tests.matrix import undone
from tests.orgs.two_organizations import Scene, make_scene
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess
from tests.second_factor import prove

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pseudo_locale")]

THEIRS = {"djstripe"}
MODELS = [each for each in admin.site._registry if each._meta.app_label not in THEIRS]


# What Django's admin says in English, whatever the language.
DJANGOS = ("Search", "True", "False", "None", "ID")


@pytest.fixture
def client(stripe_account: SandboxProcess) -> Client:
    scene: Scene = put_back(make_scene)
    everybody_reads_it()
    Organization.objects.update(stripe_customer=None)
    payer = Payer(stripe_account, scene.cast.acme)
    payer.subscribe()
    payer.sync()
    return asking(prove(scene.cast.dana))


def pages_of(model: type[Model]) -> Iterator[str]:
    """The addresses of a model's pages, with a row for those that are about one."""
    row: Any = model._default_manager.order_by("pk").first()
    patterns: list[Any] = admin.site._registry[model].get_urls()
    for pattern in patterns:
        if isinstance(pattern, URLPattern) and pattern.name:
            for arguments in ([], [quote(row.pk)] if row else []):
                try:
                    yield reverse(f"admin:{pattern.name}", args=arguments)
                except NoReverseMatch:
                    continue


def shown_as_they_are() -> Iterator[object]:
    """What staff see as the database has it: codes, and the names of Django's permissions."""
    yield from Event
    yield from chain(*Permission.objects.values_list("name", "codename"))
    yield from Role.objects.values_list("key", flat=True)
    lines = UserEventLog.objects.values_list("data", flat=True)
    methods = [each.payment_method for each in Standing.objects.exclude(payment_method=None)]
    yield from (method["brand"] for method in methods if method)
    yield from (json.dumps(held, ensure_ascii=False) for held in (*methods, *lines))


def test_every_page_of_the_admin(client: Client) -> None:
    answers: Answers = []
    addresses = [reverse("admin:index"), reverse("admin:password_change")]
    addresses += [reverse("admin:app_list", args=[label]) for label in sorted(OURS - {"config"})]
    for model in MODELS:
        addresses += pages_of(model)
    for page in addresses:
        with undone(client):
            answer = client.get(page)
            answers.append((page, answer))
        # A form with rows of others in it needs more than nothing.
        if not (answer.context and answer.context.get("inline_admin_formsets")):
            with undone(client):
                answers.append((page, client.post(page, {}, follow=True)))
    assert english(answers, *DJANGOS, *shown_as_they_are()) == {}
