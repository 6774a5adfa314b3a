from importlib import import_module

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        import_module("billing.exports")
        import_module("billing.needs")
        import_module("billing.receivers")
