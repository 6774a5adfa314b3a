"""What the import contracts cannot see."""

from __future__ import annotations

from django.apps import apps

ORDER = ["accounts", "orgs", "billing"]


def test_foreign_keys_point_down_but_for_two() -> None:
    """A string names the model of a foreign key, so no import shows where it points."""
    upward = {
        f"{model.__name__}.{field.name}"
        for label in ORDER
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if field.concrete
        and field.related_model is not None
        and not isinstance(field.related_model, str)
        and field.related_model._meta.app_label in ORDER
        and ORDER.index(field.related_model._meta.app_label) > ORDER.index(label)
    }
    assert upward == {"User.organization", "UserEventLog.organization"}
