from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        import_module("billing.checks")
        import_module("billing.exports")
        import_module("billing.needs")
        import_module("billing.reasons")
        import_module("billing.receivers")
