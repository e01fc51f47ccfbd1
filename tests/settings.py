"""Settings of the test suite: the example shop, with nothing that a server must provide.

`XCOVER_DATABASE` names the engine (`sqlite` by default, `postgresql`, `mariadb`).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy

from example_shop.settings import *  # noqa: F403

SECRET_KEY = "for tests only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT = None
CELERY_BROKER_TRANSPORT_OPTIONS = {}
# The package is tested in its own language; the shop's, British English, writes other dates.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", gettext_lazy("English")), ("de", gettext_lazy("German"))]
# Otherwise every test client lists all static files anew, which takes 60 ms.
WHITENOISE_AUTOREFRESH = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


def own_database(pid: int) -> str:
    """Return the name of a run's own database: two runs at once would drop each other's."""
    return f"test_xcover_{pid}"


ENGINES: dict[str, dict[str, Any]] = {
    "sqlite": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
        # A file: threads share an in-memory database without waiting for each other's locks.
        "TEST": {"NAME": Path(tempfile.gettempdir(), f"xcover-test-{os.getpid()}.sqlite3")},
    },
    "postgresql": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        # Nothing here has to outlive the server.
        "OPTIONS": {"options": "-c synchronous_commit=off"},
        "TEST": {"NAME": own_database(os.getpid())},
    },
    "mariadb": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "test",
        "USER": os.environ.get("MYSQL_USER", "root"),
        "PASSWORD": os.environ.get("MYSQL_PASSWORD", ""),
        "HOST": os.environ.get("MYSQL_HOST", "127.0.0.1"),
        "TEST": {"NAME": own_database(os.getpid())},
    },
}
DATABASES = {"default": ENGINES[os.environ.get("XCOVER_DATABASE", "sqlite")]}

XCOVER = {
    "ADAPTER": "example_shop.cover.ConcertShopAdapter",
    "ACCOUNTS": {
        "default": {
            "BASE_URL": "http://127.0.0.1:9/x",
            "PARTNER_CODE": "SHOP1",
            "API_KEY": "sandbox-key",
            "API_SECRET": "sandbox-secret",
        }
    },
    # By the real clock, even where a test stops it: on a busy machine the default is soon over.
    # Below the 30 s that a fault of the sandbox hangs, so that it does outlast the deadline.
    "OFFER_DEADLINE": 20.0,
    # Inside the request, so that a test sees the end of what it began.
    "OFFER_THREADS": 0,
    # One visitor makes all the quotes of a test.
    "VISITOR_QUOTES": 1000,
    "OFFER_INSTALMENTS": True,
}
