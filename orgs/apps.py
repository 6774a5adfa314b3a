from importlib import import_module

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "orgs"

    def ready(self) -> None:
        import_module("orgs.checks")
        import_module("orgs.person_export")
        import_module("orgs.receivers")
