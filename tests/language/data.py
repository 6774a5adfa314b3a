"""What a page may show in whatever letters, as people wrote it: taken from the database."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from accounts.models import User
from orgs.models import Role

OURS = {"accounts", "orgs", "billing", "config"}
# Rows of the product's own, whose words are ours.
PLANTED = (Permission, Group, ContentType)
# What is kept as a code: the words for it are ours.
CODES = {"accounts.UserEventLog.event", "billing.Standing.reason"}
# The product's name.
NAMES = ("Holdfast",)


def data() -> Iterator[object]:
    yield from NAMES
    yield timezone.get_current_timezone_name()
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed:
            continue
        yield from _written(model)
    for config in apps.get_app_configs():
        if config.label not in OURS:
            yield from _named(config)


def _named(config: AppConfig) -> Iterator[object]:
    """What others call their tables and columns, who do so in English alone, as dj-stripe."""
    yield config.verbose_name
    for model in config.get_models():
        yield from (model._meta.verbose_name, model._meta.verbose_name_plural)
        yield from (field.verbose_name for field in model._meta.concrete_fields)


def _written(model: type[models.Model]) -> Iterator[object]:
    """The texts in the rows of a model, but for what the product itself chose among."""
    if model in PLANTED:
        return
    rows = model._base_manager.all()
    if model is Role:
        rows = rows.exclude(organization=None)
    texts = (models.CharField, models.TextField, models.UUIDField)
    names = [
        field.attname
        for field in model._meta.local_concrete_fields
        if isinstance(field, texts) and not field.choices and str(field) not in CODES
    ]
    if names:
        for row in rows.values_list(*names):
            yield from (value for value in row if value)
    if model is User:
        yield from (person.get_short_name() for person in User.objects.all())
