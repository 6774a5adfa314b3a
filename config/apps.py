from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.signals import user_logged_in


class ConfigAppConfig(AppConfig):
    """The project itself, an app for the sake of its management commands."""

    name = "config"

    def ready(self) -> None:
        """Have `accounts.last_login` note when people log in, and not Django's own receiver."""
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        import_module("accounts.last_login")
        import_module("config.checks")


class HoldfastAdminConfig(AdminConfig):
    default_site = "config.admin.HoldfastAdminSite"
