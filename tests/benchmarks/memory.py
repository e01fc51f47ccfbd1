"""What a worker's memory does over ten thousand operations."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import requests
from django.db import connection, transaction
from django.test.utils import setup_test_environment, teardown_test_environment

from django_xcover.conf import get_config
from django_xcover.sandbox import Sandbox
from tests.fuzz.answers import Scripted
from tests.fuzz.sale import Recorder, Step, forget, shop_calling, steps

EVERY, OPERATIONS = 1000, 10_000
KINDS = ("book", "cancel", "modify", "renew")


def measure(count: int = OPERATIONS) -> dict[str, Any]:
    """Carry out `count` operations of all kinds in this process; return its RSS in MiB on the way.

    XCover's answers are the sandbox's, recorded before, so that no sandbox grows beside the worker.
    """
    setup_test_environment()
    connection.settings_dict["TEST"]["NAME"] = None
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    account = get_config().account("default")
    with requests.Session() as session:
        session.mount(account.base_url, recorder := _recorder())
        with shop_calling(session), transaction.atomic():
            known = [step for step in steps(recorder) if step.name in KINDS]
            session.mount(account.base_url, scripted := Scripted())
            sizes = [_work(known, scripted, EVERY) for _ in range(count // EVERY)]
    teardown_test_environment()
    return {
        "operations": count,
        "rss_mib": sizes,
        "growth_mib_after_the_first_thousand": round(sizes[-1] - sizes[0], 1),
    }


def _work(known: list[Step], scripted: Scripted, count: int) -> float:
    for number in range(count):
        step = known[number % len(known)]
        scripted.script = dict(step.answers)
        forget()
        with transaction.atomic():
            step.act()
            transaction.set_rollback(True)
    gc.collect()
    return _rss()


def _recorder() -> Recorder:
    account = get_config().account("default")
    sandbox = Sandbox(
        partner_code=account.partner_code,
        api_key=account.api_key,
        api_secret=account.api_secret,
    )
    return Recorder(sandbox)


def _rss() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
