"""One run, from an empty database to the figures. Django is set up when this is imported."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections

from example_shop.demo.data import fill
from tests.chaos import elsewhere, evidence, history
from tests.chaos.comparing import compare
from tests.chaos.crew import Crew
from tests.chaos.draining import drain, settle
from tests.chaos.ground import Ground
from tests.chaos.outages import Outages
from tests.chaos.plan import LIES, RENEWALS, misfortunes
from tests.chaos.report import report
from tests.chaos.shoppers import Purchase
from tests.chaos.storm import Storm
from tests.chaos.truth import read_sandbox
from tests.chaos.weather import Weather
from tests.chaos.wishes import Wish

# Of the time that is allowed, this share is for what comes after the orders: those who come back
# late, the renewals, recovering. Not more seconds than that.
RESERVE = 0.4
LONGEST_RESERVE = 240.0
# Devices are insured for 24 months, and XCover tells of a renewal 14 days before.
TWO_YEARS = 722
# Seconds of patience: of those who come back, and with what has to be done before time moves.
RETURNING = 20.0
SETTLING = 30.0


@dataclass(frozen=True)
class Allowance:
    """How long a run may take, on the monotonic clock."""

    begun: float
    seconds: float

    @property
    def last_order(self) -> float:
        """Return when the last order may begin."""
        return self.begun + self.seconds - min(self.seconds * RESERVE, LONGEST_RESERVE)

    @property
    def left(self) -> float:
        """Return the seconds that are left."""
        return self.begun + self.seconds - time.monotonic()


def run(
    ground: Ground, *, orders: int, seed: int, minutes: float, logs: Path | None, plant: str = ""
) -> dict[str, Any]:
    """Carry out a run of at most so many minutes and return its figures."""
    allowance = Allowance(time.monotonic(), minutes * 60)
    _prepare()
    outages = Outages()
    try:
        with Crew(ground, plant=plant) as crew:
            weather = Weather(ground, crew, outages)
            storm = Storm(ground.shop_url, outages, weather, seed=seed)
            raging = time.monotonic()
            weather.plan(misfortunes(orders, seed))
            purchases = storm.rage(orders, allowance.last_order, RETURNING)
            sold = time.monotonic() - raging
            weather.clear_up()
            settle(crew, patience=SETTLING)
            elsewhere.cancel(purchases)
            # Its webhooks are all that tells of it: they arrive before the weather turns again.
            drain(crew, patience=SETTLING)
            _renew(storm, weather, crew, purchases, seed=seed, patience=allowance.left / 2)
            raged = time.monotonic() - raging
            weather.clear_up()
            recovery = drain(crew, patience=max(30.0, allowance.left))
        facts = {"recovery": recovery, "storm": raged, "sales": sold}
        return _figures(ground, purchases, struck=weather.struck, **facts)
    finally:
        connections.close_all()
        if logs is not None:
            shutil.copytree(ground.directory / "logs", logs, dirs_exist_ok=True)


def _renew(
    storm: Storm,
    weather: Weather,
    crew: Crew,
    purchases: list[Purchase],
    *,
    seed: int,
    patience: float,
) -> None:
    """Let almost two years pass at XCover, and those who want to renew come back."""
    renewing = [purchase for purchase in purchases if purchase.will(Wish.RENEW)]
    settle(crew, patience=min(patience, SETTLING))
    connections.close_all()
    weather.plan(misfortunes(len(renewing), seed, RENEWALS))
    weather.step(0)
    weather.pass_time(TWO_YEARS)
    storm.renew(renewing, patience=min(patience, RETURNING + len(renewing) / 2))


def _prepare() -> None:
    call_command("migrate", verbosity=0)
    history.begin()
    fill()
    # The weather ends every connection to the database, and this one is no part of the shop.
    connections.close_all()


def _figures(
    ground: Ground, purchases: list[Purchase], *, struck: dict[str, int], **facts: Any
) -> dict[str, Any]:
    truth = read_sandbox(ground.directory / "xcover.sqlite3")
    lies = sum(struck.get(lie, 0) for lie in LIES)
    changed = history.read()
    found = compare(truth, changed, purchases, lies=lies)
    return report(found, purchases, struck=struck, **facts) | {
        "evidence": evidence.gather(found, truth, changed, purchases)
    }
