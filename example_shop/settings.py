"""Settings of the example shop. `python manage.py demo` runs it as it stands.

The environment names grown-up engines: `SHOP_BROKER_URL` (Redis, RabbitMQ), `SHOP_SECRET_KEY`,
`SHOP_HOSTS`, `SHOP_URL`, and the `XCOVER_*` variables below for a real XCover account.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from example_shop.data_dir import DATA_DIR, secret_key
from example_shop.running import running_demo

# Commands that run during a demo find its sandbox on any port.
DEMO = running_demo()

SECRET_KEY = os.environ.get("SHOP_SECRET_KEY") or secret_key()
DEBUG = os.environ.get("SHOP_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("SHOP_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "example_shop",  # first, so that its templates override those of the others
    "django_xcover",  # before the admin, so that its index page links to "System health"
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_xcover.sandbox",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Serves the static files without a second server.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "example_shop.middleware.CartMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "example_shop.context_processors.shop",
            ]
        },
    }
]
ROOT_URLCONF = "example_shop.urls"
WSGI_APPLICATION = "example_shop.wsgi.application"
LOGIN_REDIRECT_URL = "shop:orders"
LOGOUT_REDIRECT_URL = "shop:home"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Writers wait at BEGIN instead of failing halfway (SQLite can't upgrade a read lock to a write lock
# during another write), and WAL allows reads meanwhile.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "shop.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;",
        },
    }
}

# Shop, worker and beat share failures, rates and the last sweep. With Django's default, a cache per
# process, the page "System health" would only show those of its own process.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(DATA_DIR / "cache"),
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

USE_TZ = True
TIME_ZONE = "Europe/London"
USE_I18N = True
LANGUAGE_CODE = "en-gb"
LANGUAGES = [
    ("en-gb", _("English")),
    ("de", _("German")),
    ("fr", _("French")),
    ("es", _("Spanish")),
    ("it", _("Italian")),
    ("pt-br", _("Brazilian Portuguese")),
    ("ja", _("Japanese")),
    ("ar", _("Arabic")),
]
LOCALE_PATHS = [Path(__file__).parent / "locale"]

# E-mails are files next to the database: the demo sends none.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = "Encore & Co. <hello@encore.example>"
SHOP_URL = os.environ.get("SHOP_URL") or (DEMO.shop if DEMO else "http://127.0.0.1:8000")

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # from the apps, without collectstatic before the first start

FOLDER = "filesystem://localhost//"
CELERY_BROKER_URL = os.environ.get("SHOP_BROKER_URL", FOLDER)
CELERY_BROKER_TRANSPORT = (
    "example_shop.broker:FolderTransport" if CELERY_BROKER_URL == FOLDER else None
)
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {
        "data_folder_in": str(DATA_DIR / "broker"),
        "data_folder_out": str(DATA_DIR / "broker"),
        "control_folder": str(DATA_DIR / "broker-control"),
        "polling_interval": 0.2,
    }
    if CELERY_BROKER_URL == FOLDER
    else {}
)
CELERY_TASK_IGNORE_RESULT = True
# With it, a worker with a thread pool can stay alive and deaf after RabbitMQ cut its connection
# (seen with Celery 5.7 in the storms of `tests.chaos`).
CELERY_WORKER_ENABLE_PREFETCH_COUNT_REDUCTION = False
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "django_xcover.tasks.sweep_operations", "schedule": 5.0},
    "webhooks": {"task": "django_xcover.tasks.sweep_webhooks", "schedule": 5.0},
    "old-webhooks": {"task": "django_xcover.tasks.forget_webhooks", "schedule": 86_400.0},
    "personal-data": {"task": "django_xcover.tasks.forget_personal_data", "schedule": 86_400.0},
    "renewals": {"task": "django_xcover.tasks.find_due_renewals", "schedule": 60.0},
    "schedules": {"task": "django_xcover.tasks.sweep_instalments", "schedule": 60.0},
    "unpaid": {"task": "django_xcover.tasks.sweep_unpaid", "schedule": 3_600.0},
    "count-offers": {"task": "django_xcover.tasks.count_offers", "schedule": 300.0},
    "reconcile": {"task": "django_xcover.tasks.reconcile", "schedule": 600.0},
}

# With dual payment XCover charges the premium itself, on the card of a token from its XPay. The
# address is that of the sandbox's card form: XPay's own has to come from XCover.
SHOP_DUAL_PAYMENT = os.environ.get("SHOP_DUAL_PAYMENT") == "1"
SHOP_XPAY_FORM = (
    os.environ.get("SHOP_XPAY_FORM")
    or f"{DEMO.sandbox if DEMO else 'http://127.0.0.1:8700'}/xpay/form"
)

# Without these variables, the shop uses the local sandbox: the demo's while one is running, and
# otherwise the default values of `manage.py xcover_sandbox`.
XCOVER: dict[str, Any] = {
    "ADAPTER": "example_shop.cover.ConcertShopAdapter",
    # The shop has a page for paying later instalments: `get_payment_url`.
    "OFFER_INSTALMENTS": True,
    # XCover's own element at the checkout, instead of this package's offer.
    "ELEMENTS_SCRIPT": os.environ.get("XCOVER_ELEMENTS_SCRIPT", ""),
    # The order's page offers cover that was declined, or not answered, for a week.
    "AFTER_SALE_DAYS": 7,
    "ACCOUNTS": {
        "default": {
            "BASE_URL": os.environ.get("XCOVER_BASE_URL")
            or f"{DEMO.sandbox if DEMO else 'http://127.0.0.1:8700'}/x",
            "PARTNER_CODE": os.environ.get("XCOVER_PARTNER_CODE", "SHOP1"),
            "API_KEY": os.environ.get("XCOVER_API_KEY", "sandbox-key"),
            "API_SECRET": os.environ.get("XCOVER_API_SECRET", "sandbox-secret"),
            "WEBHOOK_SECRETS": {
                os.environ.get("XCOVER_WEBHOOK_KEY", "sandbox-webhook-key"): os.environ.get(
                    "XCOVER_WEBHOOK_SECRET", "sandbox-webhook-secret"
                )
            },
        }
    },
}
