"""Settings of the shop whose shoppers wait for offers: all of `XCOVER` by default.

The environment says where: `WAITING_DIR`, `XCOVER_BASE_URL`. The cache is Django's default, which
each process has for itself: the hardest case.
"""

from __future__ import annotations

import os
from pathlib import Path

from example_shop.settings import *  # noqa: F403
from example_shop.settings import XCOVER as SHOP

ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["WAITING_DIR"], "shop.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT = None
CELERY_BROKER_TRANSPORT_OPTIONS = {}
XCOVER = {"ADAPTER": SHOP["ADAPTER"], "ACCOUNTS": SHOP["ACCOUNTS"]}
if "WAITING_THREADS" in os.environ:  # 0: quote inside the request, to compare
    XCOVER["OFFER_THREADS"] = int(os.environ["WAITING_THREADS"])
