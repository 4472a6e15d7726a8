"""Django's settings. Everything an operator may turn comes from `config.environment`."""

import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.environment import load_environment
from config.stores.postgres.timed import TimedConnection

ENV = load_environment()
BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug == "on"
ALLOWED_HOSTS = ENV.allowed_hosts
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "users.User"

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # the admin's theme: its templates come first
    "web.administration.AdministrationConfig",  # django.contrib.admin, and who may come in
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config.outbox",
    "config.idempotency",
    "users",
    "trains",
    "reservations",
    "analytics",
    "web",
    *(
        f"reservations.{name}"
        for name in ("payments", "tickets", "waitlist", "webhooks")
        if name not in ENV.apps_left_out
    ),
    # Where two of these meet; there if both are.
    *(["reservations.prepaid"] if not {"payments", "waitlist"} & {*ENV.apps_left_out} else []),
]

MIDDLEWARE = [
    "config.http.metrics.MetricsMiddleware",
    "config.http.cors.OriginMiddleware",
    "config.http.request_log.RequestLogMiddleware",
    "config.http.api_answers.ApiAnswersMiddleware",
    "config.http.hurry.HurryMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.http.body.DoorMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.http.compression.LargeAnswersGZipMiddleware",
    "config.http.cookies.PagePolicyMiddleware",
    "config.http.cookies.PageSessionMiddleware",
    "config.http.cookies.PageLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.http.cookies.PageCsrfMiddleware",
    "config.http.cookies.PageAuthenticationMiddleware",
    "config.http.cookies.PageMessageMiddleware",
    "config.http.cookies.PageFrameMiddleware",
    "config.http.problems.ProblemMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "http" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


# Times a connection runs a statement of `prepared_cursor` before it is kept prepared.
PREPARED_AFTER = 2
# A server at the end of a cut wire is given up after a minute, by whoever waits for its answer
# without an end (`config.stores.postgres.timed`); the kernel's own patience is two hours.
KEEPALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def _database() -> dict[str, Any]:
    """Django's view of DATABASE_URL; a unix socket is `postgresql:///name?host=/folder`."""
    parts = dict(conninfo_to_dict(ENV.database_url))
    known = {key: parts.pop(key, None) for key in ("dbname", "user", "password", "host", "port")}
    pool = {
        "min_size": 1,
        "max_size": ENV.database_pool_size,
        "timeout": ENV.database_timeout_seconds,
        "connection_class": TimedConnection,
        # Given up soon: whoever asks next has it try anew, without the pool's growing pauses.
        "reconnect_timeout": 1.0,
    }
    prepared = {"prepare_threshold": PREPARED_AFTER if ENV.database_prepare == "on" else None}
    return {
        "ENGINE": "config.stores.postgres",
        "NAME": known["dbname"] or "seatlock",
        "USER": known["user"] or "",
        "PASSWORD": known["password"] or "",
        "HOST": known["host"] or "",
        "PORT": str(known["port"] or ""),
        "OPTIONS": {**KEEPALIVE, **parts, **prepared, "pool": pool, "connect_timeout": 3},
    }


DATABASES = {"default": _database()}

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": ENV.cache_url,
        "OPTIONS": {
            "SOCKET_TIMEOUT": ENV.redis_timeout_seconds,
            "SOCKET_CONNECT_TIMEOUT": ENV.redis_timeout_seconds,
            # One immediate retry, for a connection that died in the pool, none after a time-out;
            # redis-py's own default waits for seconds, which no rate limit is worth.
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 1, (redis.ConnectionError,))},
        },
        "KEY_PREFIX": "seatlock",
    }
}

# People
PASSWORD_HASHERS = ["users.hashers.BoundedArgon2PasswordHasher"]
AUTHENTICATION_BACKENDS = ["users.backends.AccountBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ENV.access_token_seconds),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=ENV.refresh_token_seconds),
    "ALGORITHM": "HS256",
    "USER_ID_CLAIM": "sub",
}

LOGIN_URL = "web:login"

# The admin's look: the colour that acts is that of the pages (web/static/web/seatlock.css).
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Seatlock",
    "SITE_HEADER": "Seatlock",
    "SITE_SUBHEADER": "Timetable, fares, people",
    "SITE_URL": "/",
    "SITE_ICON": "/static/web/icon.svg",
    "SHOW_HISTORY": True,
    "COLORS": {
        "primary": {
            "50": "238 248 249",
            "100": "225 240 242",
            "200": "191 227 233",
            "300": "138 219 230",
            "400": "99 199 213",
            "500": "35 140 157",
            "600": "15 100 115",
            "700": "12 86 99",
            "800": "10 74 86",
            "900": "9 59 68",
            "950": "6 36 43",
        }
    },
}

# Pages. Scripts and styles are files of ours, never in line. Forms go nowhere else; a payment page
# elsewhere is reached by a link. The admin and the API's description have policies of their own.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "EXCLUDE_URL_PREFIXES": ("/admin/", "/api/"),
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# The API
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["config.http.rendering.ContractJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.http.body.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["users.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["config.http.throttles.ScopedThrottle"],
    "DEFAULT_PAGINATION_CLASS": "config.http.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "COERCE_DECIMAL_TO_STRING": True,
    "EXCEPTION_HANDLER": "config.http.problems.drf_exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Seatlock",
    "DESCRIPTION": (BASE_DIR / "config" / "http" / "about_the_api.md").read_text(),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # The bodies of PATCH calls say themselves what they need: one names its object.
    "COMPONENT_SPLIT_PATCH": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "REDOC_UI_SETTINGS": {
        "theme": {
            "typography": {
                "fontFamily": "system-ui, sans-serif",
                "headings": {"fontFamily": "system-ui, sans-serif"},
            }
        }
    },
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": True, "filter": True},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.http.openapi.add_plain_operations",
        "config.http.openapi_rules.complete_operations",
        "config.http.openapi_links.add_links",
    ],
    "ENUM_NAME_OVERRIDES": {
        "DepartureStatus": [("open", "Open"), ("closed", "Closed")],
        "HoldStatus": ["held", "confirming"],
        "TrainMode": [("rail", "Rail"), ("bus", "Bus")],
        "UserRole": ["user", "admin"],
        "Weekday": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    },
    "ENFORCE_NON_BLANK_FIELDS": True,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVERS": [{"url": "/"}],
    "LICENSE": {"name": "MIT"},
}
CSRF_FAILURE_VIEW = "web.refusals.csrf_refused"
DATA_UPLOAD_MAX_MEMORY_SIZE = ENV.max_body_bytes
CORS_ALLOWED_ORIGINS = ENV.cors_allowed_origins
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "seatlock-customer"]
CORS_EXPOSE_HEADERS = ["Idempotency-Replayed", "Retry-After"]

# Background work
CELERY_BROKER_URL = ENV.broker_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# What a worker took and did not end, having died, another gets after so many seconds. No task
# takes as long; one that did would run twice at once, which every task here may.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = ENV.time_zone
CELERY_BEAT_SCHEDULE_FILENAME = str(BASE_DIR / ".data" / "celerybeat-schedule")


# How old a task that comes each second may get in the queue of a busy worker.
QUEUE_SECONDS = 15.0


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A beat entry that is not kept for long, so that a worker that was away for an hour does not
    find an hour of them waiting. Nor is it dropped because the queue is some seconds long: a
    worker that is late would then do nothing of all that waits.
    """
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, QUEUE_SECONDS)}}


CELERY_BEAT_SCHEDULE = {
    "sweep holds": _every(ENV.sweep_every_seconds, "reservations.tasks.sweep_holds"),
    "notice restart": _every(ENV.sweep_every_seconds, "reservations.tasks.notice_restart"),
    "consume outbox": _every(ENV.ship_every_seconds, "reservations.tasks.consume_outbox"),
    "reconcile": _every(ENV.reconcile_every_seconds, "reservations.tasks.reconcile_departures"),
    "ship facts": _every(ENV.ship_every_seconds, "analytics.tasks.ship_facts"),
    "purge outbox": _every(3600.0, "analytics.tasks.purge_outbox"),
    "open departures": _every(3600.0, "trains.tasks.open_departures"),
    "purge idempotency keys": _every(3600.0, "config.idempotency.tasks.purge_keys"),
    "restore marks of ended logins": _every(10.0, "users.tasks.restore_ended_marks"),
    "cancel bookings of cancelled departures": _every(2.0, "reservations.tasks.cancel_withdrawn"),
    "mail what became of bookings": _every(
        ENV.mail_every_seconds, "reservations.tasks.send_booking_mail"
    ),
    "purge tombstones": _every(3600.0, "reservations.tasks.purge_tombstones"),
    "mail codes of claims": _every(ENV.mail_every_seconds, "users.tasks.send_claim_mail"),
    "purge codes of claims": _every(3600.0, "users.tasks.purge_guest_claims"),
    "purge logins": _every(3600.0, "users.tasks.purge_logins"),
}
if "reservations.tickets" in INSTALLED_APPS:
    CELERY_BEAT_SCHEDULE["send ticket mail"] = _every(
        ENV.mail_every_seconds, "reservations.tickets.tasks.send_ticket_mail"
    )

if "reservations.webhooks" in INSTALLED_APPS:
    _tasks = "reservations.webhooks.tasks"
    CELERY_BEAT_SCHEDULE |= {
        "deliver webhooks": _every(ENV.webhooks_every_seconds, f"{_tasks}.deliver_webhooks"),
        "purge webhooks": _every(3600.0, f"{_tasks}.purge_webhooks"),
    }
if "reservations.waitlist" in INSTALLED_APPS:
    CELERY_BEAT_SCHEDULE |= {
        "tend waitlists": _every(
            ENV.waitlist_every_seconds, "reservations.waitlist.tasks.tend_waitlists"
        ),
        "send waitlist mail": _every(
            ENV.mail_every_seconds, "reservations.waitlist.tasks.send_waitlist_mail"
        ),
    }

# Mail: to the console unless a server is named
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if ENV.email_host else 'console'}.EmailBackend"
EMAIL_HOST = ENV.email_host
EMAIL_PORT = ENV.email_port
EMAIL_HOST_USER = ENV.email_host_user
EMAIL_HOST_PASSWORD = ENV.email_host_password
EMAIL_USE_TLS = ENV.email_use_tls == "on"
EMAIL_TIMEOUT = ENV.email_timeout_seconds
DEFAULT_FROM_EMAIL = ENV.email_from

if "reservations.payments" in INSTALLED_APPS:
    _tasks = "reservations.payments.tasks"
    CELERY_BEAT_SCHEDULE |= {
        "finish captured payments": _every(5.0, f"{_tasks}.finish_captured"),
        "send refunds": _every(5.0, f"{_tasks}.send_refunds"),
        "ask payment gateways": _every(60.0, f"{_tasks}.ask_gateways"),
        "compare yesterday's payments": _every(6 * 3600.0, f"{_tasks}.compare_yesterday"),
    }

# Language, time, files
TIME_ZONE = ENV.time_zone
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("hi", "हिन्दी")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
# Where the pages are reached by HTTPS, also behind a proxy that ends it, cookies go no other way,
# and forms are taken from there.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = ENV.is_https
CSRF_TRUSTED_ORIGINS = [ENV.public_origin] if ENV.is_https else []
USE_I18N = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Compressed once, when they are collected; every process serves them, no CDN and no proxy needed.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600
# Commands and tests serve no files, and run also where none were collected yet.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
# Source maps are large, and asked for by nobody but a debugger.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", "png", "ico", "gif", "jpg", "woff", "woff2", "gz")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
    "loggers": {
        # A refusal is an answer, not an event: a line for each 409 of a rush says nothing.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # A line for each socket that comes and goes.
        "uvicorn.error": {"level": "WARNING"},
        # Both tell of every glyph, and name the letters of travellers' names that no font has.
        "fontTools": {"level": "WARNING"},
        "fpdf": {"level": "ERROR"},
        # A line for each task each second would fill a disk and hide what matters.
        **{
            f"celery.{part}": {"level": "DEBUG" if ENV.log_level == "DEBUG" else "WARNING"}
            for part in ("beat", "app.trace", "worker.strategy")
        },
    },
}
