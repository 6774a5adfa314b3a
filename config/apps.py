import sys
from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.signals import user_logged_in

from config.logs import log_uncaught


class ConfigAppConfig(AppConfig):
    """The project itself, an app for the sake of its management commands."""

    name = "config"

    def ready(self) -> None:
        """Have `accounts.last_login` note when people log in, and not Django's own receiver; and
        what ends a process logged, unless somebody is looking on."""
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        import_module("accounts.last_login")
        import_module("config.checks")
        if not (settings.DEBUG or sys.stderr.isatty()):
            sys.excepthook = log_uncaught


class HoldfastAdminConfig(AdminConfig):
    default_site = "config.admin.HoldfastAdminSite"
