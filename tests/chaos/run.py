"""One run, from an empty database to the figures. Django is set up when this is imported."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections

from example_shop.demo.data import fill
from tests.chaos.comparing import compare, read_sandbox
from tests.chaos.crew import Crew
from tests.chaos.draining import drain
from tests.chaos.ground import Ground
from tests.chaos.outages import Outages
from tests.chaos.plan import misfortunes
from tests.chaos.report import report
from tests.chaos.shoppers import Purchase
from tests.chaos.storm import Storm
from tests.chaos.weather import Weather

# Of the time that is allowed, this share is for recovering, but not more seconds than that.
RESERVE = 0.25
LONGEST_RESERVE = 90.0


def run(
    ground: Ground, *, orders: int, seed: int, minutes: float, logs: Path | None
) -> dict[str, Any]:
    """Carry out a run of at most so many minutes and return its figures."""
    allowed = minutes * 60
    begun = time.monotonic()
    _prepare()
    outages = Outages()
    try:
        with Crew(ground) as crew:
            weather = Weather(ground, crew, outages, misfortunes(orders, seed))
            storm = Storm(ground.shop_url, outages, weather, seed=seed)
            raging = time.monotonic()
            reserve = min(allowed * RESERVE, LONGEST_RESERVE)
            purchases = storm.rage(orders, begun + allowed - reserve)
            raged = time.monotonic() - raging
            weather.clear_up()
            recovery = drain(crew, patience=max(30.0, begun + allowed - time.monotonic()))
        return _figures(ground, purchases, recovery=recovery, storm=raged, struck=weather.struck)
    finally:
        connections.close_all()
        if logs is not None:
            shutil.copytree(ground.directory / "logs", logs, dirs_exist_ok=True)


def _prepare() -> None:
    call_command("migrate", verbosity=0)
    fill()
    # The weather ends every connection to the database, and this one is no part of the shop.
    connections.close_all()


def _figures(ground: Ground, purchases: list[Purchase], **facts: Any) -> dict[str, Any]:
    truth = read_sandbox(ground.directory / "xcover.sqlite3")
    return report(compare(truth, purchases), purchases, **facts)
