"""Settings of the processes that tests start: a shop's database in a file and a real broker.

The environment says where: `PROCESS_DIR`, `PROCESS_BROKER`, `PROCESS_QUEUE`, `PROCESS_XCOVER`.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.settings import *  # noqa: F403

DIRECTORY = Path(os.environ["PROCESS_DIR"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DIRECTORY / "shop.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;",
        },
    }
}
CELERY_BROKER_URL = os.environ["PROCESS_BROKER"]
CELERY_TASK_DEFAULT_QUEUE = os.environ["PROCESS_QUEUE"]
# Queues for remote control would outlive a worker that is killed.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{CELERY_TASK_DEFAULT_QUEUE}:"}
if CELERY_BROKER_URL == "filesystem://":
    CELERY_BROKER_TRANSPORT = "example_shop.broker:FolderTransport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DIRECTORY / "broker"),
        "data_folder_out": str(DIRECTORY / "broker"),
        "control_folder": str(DIRECTORY / "control"),
        "polling_interval": 0.1,
    }
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "django_xcover.tasks.sweep_operations", "schedule": 0.5},
}
XCOVER = {
    "ADAPTER": "tests.processes.steps.Adapter",
    "ACCOUNTS": {
        "default": {
            "BASE_URL": os.environ["PROCESS_XCOVER"],
            "PARTNER_CODE": "SHOP1",
            "API_KEY": "sandbox-key",
            "API_SECRET": "sandbox-secret",
        }
    },
    "OFFER_DEADLINE": 10.0,
    # A step is a process that ends: it has its offer at once, or never.
    "OFFER_THREADS": 0,
    # Longer than a busy machine needs; tests let it run out by hand.
    "OPERATION_LEASE": 120.0,
    "RETRY_SPACING": 0.2,
}
