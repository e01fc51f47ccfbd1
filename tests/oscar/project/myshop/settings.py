"""Settings of an Oscar shop as its own documentation has them, then those of docs/oscar.md."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import oscar
import page
from oscar.defaults import *  # noqa: F403

SECRET_KEY = "for tests only"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "Europe/London"
LANGUAGE_CODE = "en-gb"
SITE_ID = 1
ROOT_URLCONF = "myshop.urls"
STATIC_URL = "/static/"
MEDIA_ROOT = tempfile.gettempdir()
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
INSTALLED_APPS = [
    "myshop.checkout.apps.CheckoutConfig" if "checkout" in name else name
    for name in oscar.INSTALLED_APPS
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
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
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        # A file, because the browser's server has threads.
        "TEST": {"NAME": Path(tempfile.gettempdir(), f"xcover-oscar-{os.getpid()}.sqlite3")},
    }
}
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
OSCAR_THUMBNAILER = "myshop.thumbnails.NoThumbnails"
OSCAR_ALLOW_ANON_CHECKOUT = True
OSCAR_INITIAL_ORDER_STATUS = OSCAR_INITIAL_LINE_STATUS = "Pending"
OSCAR_ORDER_STATUS_PIPELINE = {
    "Pending": ("Complete", "Cancelled"),
    "Complete": (),
    "Cancelled": (),
}
OSCAR_LINE_STATUS_PIPELINE = OSCAR_ORDER_STATUS_PIPELINE
CELERY_BROKER_URL = "memory://"

for words in ("OSCAR_DYNAMIC_CLASS_LOADER = ", "CELERY_BEAT_SCHEDULE = "):
    exec(page.block(words), globals())

# Inside the request, so that a test sees the end of what it began.
XCOVER["OFFER_THREADS"] = 0  # type: ignore[name-defined]
XCOVER["OFFER_DEADLINE"] = 20.0  # type: ignore[name-defined]
