from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgsConfig(AppConfig):
    name = "orgs"
    verbose_name = _("Organizations")

    def ready(self) -> None:
        import_module("orgs.checks")
        import_module("orgs.person_export")
        import_module("orgs.receivers")
