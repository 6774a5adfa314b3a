"""Every setting of Holdfast. Values that differ between machines come from the environment, or from
files that it names (config/environment.py).

`.env.example` lists the variables; with none of them set and `DEBUG=true`, everything runs on
SQLite, in one process, without Stripe.
"""

import logging
import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.environment import Env
from config.metric_files import count_in

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
Env.read_env(BASE_DIR / ".env")

# --- Core -----------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="development-only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Set it, or SECRET_KEY_FILE, in the environment or in .env, or set "
        "DEBUG=true to develop on this machine."
    )
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Encrypts what is read again from the database (accounts/encryption.py). It is not SECRET_KEY,
# which may be thrown away: what this encrypted would be lost with it.
ENCRYPTION_KEY = env.str("ENCRYPTION_KEY", default="development-only" if DEBUG else "")
if not ENCRYPTION_KEY:
    raise ImproperlyConfigured(
        "ENCRYPTION_KEY is not set. Set it, or ENCRYPTION_KEY_FILE, as SECRET_KEY, to a key of its "
        "own, and keep a copy of it apart from the database's backups."
    )
ENCRYPTION_KEY_FALLBACKS = env.list("ENCRYPTION_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# `accounts` stands before `orgs`: without migrations, the key from an organization to its owner
# needs the person's table first (orgs/constraints.py). `config` stands last: it changes what
# Django's own app has set up.
INSTALLED_APPS = [
    "accounts",
    "orgs",
    "billing",
    "config.apps.HoldfastAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "django_tasks",
    "djstripe",
    "guardian",
    "config.apps.ConfigAppConfig",
]

MIDDLEWARE = [
    "config.probes.ProbesMiddleware",
    "accounts.request_context.RequestContextMiddleware",
    "config.observing.ObservingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.NoStoreMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.impersonation_middleware.ImpersonationMiddleware",
    "accounts.middleware.SessionAgeMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "billing.middleware.AccessMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "accounts.middleware.LastActiveMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "billing.context_processors.billing",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

LANGUAGE_CODE = "en"
# Those that a reader's browser may ask for. A language is added here once it is translated.
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- Database -------------------------------------------------------------------------------

DATABASES = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR}/var/holdfast.sqlite3")
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    _database["OPTIONS"] = {
        # A transaction that reads first and writes later fails at once under SQLite's default
        # mode when another one wrote meanwhile; IMMEDIATE waits its turn, for up to `timeout`.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        ),
    }
    # A file: threads that share a SQLite database in memory lock each other out at once. Its
    # name is this process's own, so that two runs of the tests do not share it.
    _database["TEST"] = {"NAME": BASE_DIR / "var" / f"test-{os.getpid()}.sqlite3"}
else:
    _database["CONN_HEALTH_CHECKS"] = True
    _database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    # The threads of a server share connections; a command is one thread, and keeps one of its own
    # (manage.py says 0).
    _pool_size = env.int("DATABASE_POOL_SIZE", default=8)
    if _pool_size:
        # Who waits longer for a connection is told to try again: the database is down, or full.
        _database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": _pool_size, "timeout": 5}
    else:
        _database["CONN_MAX_AGE"] = 60

# --- Redis: cache, sessions, limits, and with TASKS=redis the queue -----------------------------

REDIS_URL = env.str("REDIS_URL", default="")

# In the database, unless there is a Redis: attempts to log in are counted here, and every server
# process must see the same count. `migrate` makes the table (accounts/rate_limits.py).
# Django's default is 300 entries, past which it throws away what still counts.
_database_cache: dict[str, Any] = {
    "BACKEND": "django.core.cache.backends.db.DatabaseCache",
    "LOCATION": "holdfast_cache",
    "OPTIONS": {"MAX_ENTRIES": 50_000},
}
if _cache_url := env.str("CACHE_URL", default=""):
    CACHES = {"default": env.cache_url_config(_cache_url)}
elif REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "config.cache.FailoverCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "holdfast",
            # Seconds. A request waits no longer before it goes on without Redis.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        },
        "database": _database_cache,
    }
    SESSION_ENGINE = "accounts.session_store"
else:
    CACHES = {"default": _database_cache}

CACHES["process"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

# --- People: log-in by e-mail, through django-allauth ----------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AuthenticationBackend"]
# No row for visitors among the people: guardian would otherwise create an active one.
ANONYMOUS_USER_NAME = None
# Its own backend knows nothing of tiers; orgs.permissions reads the grants.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Whether Have I Been Pwned is asked about each new password (accounts/breaches.py).
BREACHED_PASSWORDS = env.bool("BREACHED_PASSWORDS", default=not DEBUG)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {
        "NAME": (
            "accounts.passwords.BreachedPasswordValidator"
            if BREACHED_PASSWORDS
            else "django.contrib.auth.password_validation.CommonPasswordValidator"
        )
    },
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    # Put your product's name here, and whatever else people would think of first.
    {"NAME": "accounts.passwords.ContextWordsValidator", "OPTIONS": {"words": ["holdfast"]}},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "orgs.forms.SignupForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# How often one person may do what mails strangers, hands much out, or has others work; log-in and
# what belongs to it have allauth's own limits (docs/rules.md, "Log-in").
ACCOUNT_RATE_LIMITS = {
    "invite": "60/h/user",
    "export": "20/h/user",
    "request_transfer": "10/h/user",
    "found_organization": "10/h/user",
}
# One address each: a new one takes the place of the old once it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_CONFIRMATION_AUTHENTICATED_REDIRECT_URL = "/account/"
# Mails that tell what was changed: address, password, second factor.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = LOGOUT_REDIRECT_URL
# A new address takes over the account, so whoever asks for it proves again who they are.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Seconds for which a repeated password or second factor counts, where it is asked for again.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"add_webauthn": "accounts.forms.AddPasskeyForm"}
MFA_TOTP_ISSUER = "Holdfast"
# A code of an app is over with its 30 seconds, and one by mail after 10 minutes.
MFA_TOTP_TOLERANCE = 0
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 600
# What stands between a right password and being in, after allauth's own steps.
LOGIN_STAGES = ["billing.login.AccessStage"]
# Seconds in which it is written once at most that somebody is active.
LAST_ACTIVE_INTERVAL = env.int("LAST_ACTIVE_INTERVAL", default=900)
# Who must have a second factor: `staff` before the admin opens to them, `everybody` before anything
# does.
SECOND_FACTOR_NEEDED_BY = env.str("SECOND_FACTOR_NEEDED_BY", default="nobody" if DEBUG else "staff")
if SECOND_FACTOR_NEEDED_BY not in {"nobody", "staff", "everybody"}:
    raise ImproperlyConfigured(
        f"SECOND_FACTOR_NEEDED_BY is {SECOND_FACTOR_NEEDED_BY!r}. Set it to nobody, staff or "
        "everybody."
    )

# What tells where a request comes from, besides the connection: how many proxies of ours add to
# X-Forwarded-For, or the header that one of them sets (accounts/http.py).
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
CLIENT_ADDRESS_HEADER = env.str("CLIENT_ADDRESS_HEADER", default="")

SESSION_COOKIE_HTTPONLY = True
# Seconds after the log-in at which a session ends, however often it was prolonged since.
SESSION_LASTS_AT_MOST = 30 * 24 * 3600

# --- Impersonation, through django-hijack -------------------------------------------------------

HIJACK_PERMISSION_CHECK = "accounts.impersonation_services.may_impersonate"
# After how many seconds it ends by itself.
IMPERSONATION_SECONDS = env.int("IMPERSONATION_SECONDS", default=3600)
# The URLs that can be looked at meanwhile, by name; whatever is not here is refused. Nothing that
# acts when it is opened, shows a secret, or hands out what can be taken along.
IMPERSONATION_SHOWS = {
    "home",
    "accounts:account",
    "orgs:activity",
    "orgs:organization",
    "orgs:team",
    "orgs:remove_member",
    "orgs:roles",
    "orgs:create_role",
    "orgs:change_role",
    "orgs:delete_role",
    "orgs:leave",
    "orgs:request_transfer",
    "billing:overview",
    "billing:close_organization",
    "account_email",
    "account_logout",
    "mfa_index",
}

# --- Mail -----------------------------------------------------------------------------------

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Holdfast <hello@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Seconds until a mail server that does not answer is given up.
EMAIL_TIMEOUT = 20
# Where links in mails that no request sends lead to, and where Stripe sends people back.
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")

# --- Stripe, mirrored by dj-stripe ------------------------------------------------------------

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
# The key tells its mode. Who says it as well is told when the two disagree (billing/checks.py).
STRIPE_LIVE_MODE = env.bool(
    "STRIPE_LIVE_MODE", default=STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
)
# Pinned: without it dj-stripe follows the SDK's default, which moves with every release.
STRIPE_API_VERSION = "2026-05-27.dahlia"
# Only set when asked for: dj-stripe's own check objects to it in production.
if _stripe_api_host := env.str("STRIPE_API_HOST", default=""):
    STRIPE_API_HOST = _stripe_api_host.rstrip("/")
# Seconds before a call to Stripe is given up, and how often it is repeated: the SDK's own
# defaults can hold a request for four minutes.
STRIPE_TIMEOUT = env.int("STRIPE_TIMEOUT", default=8)
STRIPE_MAX_NETWORK_RETRIES = env.int("STRIPE_MAX_NETWORK_RETRIES", default=1)
# New customers are made on this test clock, so that their time can be moved. Never in live mode.
STRIPE_TEST_CLOCK = env.str("STRIPE_TEST_CLOCK", default="")

DJSTRIPE_SUBSCRIBER_MODEL = "orgs.Organization"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
# No metadata re-links a customer to an organization: the link is Organization.stripe_customer.
DJSTRIPE_SUBSCRIBER_CUSTOMER_KEY = None

# Days between the start of a debt and the lock.
BILLING_GRACE_DAYS = env.int("BILLING_GRACE_DAYS", default=0)

# --- Background work --------------------------------------------------------------------------

# Only a wake-up call: what must be done is marked in the database (billing.Standing), and
# `manage.py sync_billing --due` does what a lost task left over.
_tasks = env.str("TASKS", default="thread")
if _tasks == "thread":
    _task_backend = "billing.tasks.ThreadBackend"
elif _tasks == "database":
    _task_backend = "django_tasks_db.DatabaseBackend"
    INSTALLED_APPS += ["django_tasks_db"]
elif _tasks == "redis":
    _task_backend = "django_tasks_rq.RQBackend"
    INSTALLED_APPS += ["django_rq", "django_tasks_rq"]
    if not REDIS_URL:
        raise ImproperlyConfigured(
            "TASKS is redis, and REDIS_URL is not set. Set it to redis://host:6379/0."
        )
    # Whoever enqueues waits no longer; a worker sets a time-out of its own for its long calls.
    _time_outs = "socket_connect_timeout=1&socket_timeout=1"
    RQ_QUEUES = {"default": {"URL": f"{REDIS_URL}{'&' if '?' in REDIS_URL else '?'}{_time_outs}"}}
else:
    raise ImproperlyConfigured(f"TASKS is {_tasks!r}. Set it to thread, database or redis.")
TASKS = {"default": {"BACKEND": _task_backend}}

# --- What is sent to us -------------------------------------------------------------------------

# Nobody uploads anything: what comes as a file is read past, and kept neither in memory nor on
# disk. What else is more than 2.5 MB, or more than 1,000 fields, Django refuses.
FILE_UPLOAD_HANDLERS: list[str] = []

# --- Files ------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# --- Security in the browser --------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Checkout and the billing portal are reached by a redirect after a form was sent, which
        # browsers count as the form's target.
        "form-action": [
            SELF,
            "https://checkout.stripe.com",
            "https://billing.stripe.com",
            *([_stripe_api_host] if _stripe_api_host else []),
        ],
    }
}
# What a page of ours may ask a device for: a passkey. The rest is refused to it and to whatever it
# shows; Chromium complains about names that it does not know, so it is what browsers agree on.
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "accelerometer": [],
    "autoplay": [],
    "camera": [],
    "clipboard-read": [],
    "clipboard-write": [],
    "display-capture": [],
    "encrypted-media": [],
    "fullscreen": [],
    "gamepad": [],
    "geolocation": [],
    "gyroscope": [],
    "hid": [],
    "idle-detection": [],
    "local-fonts": [],
    "magnetometer": [],
    "microphone": [],
    "midi": [],
    "payment": [],
    "picture-in-picture": [],
    "screen-wake-lock": [],
    "serial": [],
    "storage-access": [],
    "usb": [],
    "window-management": [],
    "xr-spatial-tracking": [],
    "publickey-credentials-create": ["self"],
    "publickey-credentials-get": ["self"],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# No script of ours reads it: forms carry the token.
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# By this browsers take no cookie from a neighbour under the same domain. They know it over HTTPS.
COOKIE_PREFIX = "" if DEBUG else "__Host-"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
MESSAGE_STORAGE = "accounts.message_storage.MessageStorage"

if not DEBUG:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    # Only people are led to HTTPS. A machine that sends over plain HTTP is told so, or nobody
    # would notice what it gives away (billing/webhooks.py).
    SECURE_REDIRECT_EXEMPT = [r"^stripe/"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if env.bool("BEHIND_TLS_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Metrics ------------------------------------------------------------------------------------

# Who sends it as a bearer token reads /metrics. Without it nobody does.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Where the processes of this machine count together. In development each counts for itself.
METRIC_PLACES = count_in(
    env.str("PROMETHEUS_MULTIPROC_DIR", default="" if DEBUG else str(BASE_DIR / "var" / "metrics"))
)

# --- Logs ---------------------------------------------------------------------------------------

# Warnings would be lines of another form.
logging.captureWarnings(not DEBUG)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line" if DEBUG else "json"}
    },
    # At INFO they write the parameters of each call, three lines for each task, and the id of each
    # passkey; urllib3, at WARNING, addresses that it called.
    "loggers": {
        "stripe": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
        "urllib3": {"level": "ERROR"},
        # One line for each request: in development Django's server writes its own, and otherwise
        # ours has the status of which Django complains.
        "config.observing": {"level": "WARNING" if DEBUG else "INFO"},
        "django.request": {"level": "WARNING" if DEBUG else "ERROR"},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
