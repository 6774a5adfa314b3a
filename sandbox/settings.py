"""Settings of the sandbox process; the product's own settings play no part in it."""

API_VERSION = "2026-05-27.dahlia"

# Nothing here protects anything: there are no sessions, no cookies and no real money.
SECRET_KEY = "the-sandbox-keeps-no-secrets"
DEBUG = False

# Only names of this machine, so that a page elsewhere cannot reach it by rebinding DNS
# (CommonMiddleware looks).
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = ["sandbox"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "sandbox.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# The sandbox keeps its own SQLite file (see sandbox.database), outside Django's ORM.
DATABASES: dict[str, dict[str, object]] = {}

APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    # A refused request is everyday business here; only the sandbox's own bugs are worth a line.
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "sandbox": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
