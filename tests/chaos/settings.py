"""Settings of a run's processes: the example shop with short waits, on the run's own engines.

The environment says where: `CHAOS_DIR`, `CHAOS_DATABASE`, `CHAOS_DATABASE_PORT`, `CHAOS_BROKER`,
`CHAOS_XCOVER`, `CHAOS_CLOCK`. `CHAOS_PLANT` names a planted fault, if any.

One second is 200 of life: attempts are 0.6 s apart and not 120 s, doubled each time; XCover is
away for up to 8 s, which stands for 27 minutes, broker and database for up to 2 s, which is 7.
There are as many attempts as by default, 5. In life the last of them begins 30 to 45 minutes after
the first, and here 9 to 13.5 s after it: the longest outage is survived by the same margin.

Not in proportion is what real work takes part in, because processors do not get faster: the
deadline of a booking is 2 s and not 15, a lease 6 s and not 120, the breaker waits 0.5 s and not
10. An offer has 1 s and not 3, so that a call that hangs outlasts it.
"""

from __future__ import annotations

import os
from pathlib import Path

from example_shop.settings import *  # noqa: F403
from example_shop.settings import INSTALLED_APPS as SHOP_APPS
from example_shop.settings import MIDDLEWARE as SHOP_MIDDLEWARE

DIRECTORY = Path(os.environ["CHAOS_DIR"])
ALLOWED_HOSTS = ["127.0.0.1"]
PLANTED = ["tests.chaos.plants.Planted"] if os.environ.get("CHAOS_PLANT") else []
INSTALLED_APPS = [*SHOP_APPS, *PLANTED]
MIDDLEWARE = ["tests.chaos.timing.Timing", *SHOP_MIDDLEWARE]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["CHAOS_DATABASE"],
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "HOST": "127.0.0.1",
        "PORT": os.environ["CHAOS_DATABASE_PORT"],
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 3},
    },
    # It lags so far behind that each read of it is an error.
    "replica": {"ENGINE": "django.db.backends.dummy"},
}
DATABASE_ROUTERS = ["tests.replica.FarBehind"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(DIRECTORY / "cache"),
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
CELERY_BROKER_URL = os.environ["CHAOS_BROKER"]
CELERY_BROKER_TRANSPORT = None
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"global_keyprefix": f"{DIRECTORY.name}:"} if CELERY_BROKER_URL.startswith("redis") else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = DIRECTORY.name
# Queues for remote control would outlive a worker that is killed.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# After a lost connection Celery raises the prefetch count again, from whatever thread ends a task.
# In a pool of threads that is not the one that reads the broker's socket: both wait on it for ever,
# and the worker is alive and deaf (Celery 5.7 with RabbitMQ, seen in a storm with py-spy).
CELERY_WORKER_ENABLE_PREFETCH_COUNT_REDUCTION = False
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "django_xcover.tasks.sweep_operations", "schedule": 1.0},
    "sweep-webhooks": {"task": "django_xcover.tasks.sweep_webhooks", "schedule": 2.0},
    "renewals": {"task": "tests.chaos.find_due_renewals", "schedule": 5.0},
}
CELERY_IMPORTS = ("tests.chaos.looking_ahead", "tests.chaos.shop_tasks")
WEBHOOK_KEY, WEBHOOK_SECRET = "chaos-webhook-key", "chaos-webhook-secret"
XCOVER = {
    "ADAPTER": "example_shop.cover.ConcertShopAdapter",
    "ACCOUNTS": {
        "default": {
            "BASE_URL": f"{os.environ['CHAOS_XCOVER']}/x",
            "PARTNER_CODE": "SHOP1",
            "API_KEY": "sandbox-key",
            "API_SECRET": "sandbox-secret",
            "WEBHOOK_SECRETS": {WEBHOOK_KEY: WEBHOOK_SECRET},
            # Calls a second. Two years pass in one, and then every period that ends is told of.
            "OTHER_RATE": 100.0,
        }
    },
    "OFFER_DEADLINE": 1.0,
    "BOOKING_DEADLINE": 2.0,
    "OPERATION_LEASE": 6.0,
    "RETRY_SPACING": 0.6,
    "BREAKER_COOL_DOWN": 0.5,
    "BREAKER_COOL_DOWN_LIMIT": 1.0,
    "REFUSAL_LIFETIME": 1.0,
    # So that holds of shoppers who stay at the wallet expire during the run.
    "HOLD_LIFETIME": 15.0,
}
