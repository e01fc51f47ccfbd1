"""Lets happen what the plan says, when its order begins."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

import requests

from tests.chaos import plan
from tests.chaos.crew import Crew
from tests.chaos.ground import Ground
from tests.chaos.outages import Outages
from tests.chaos.plan import Misfortune


class Weather:
    """The misfortunes still to come; `struck` counts those that came, by name."""

    def __init__(self, ground: Ground, crew: Crew, outages: Outages) -> None:
        self.struck: Counter[str] = Counter()
        self._ground = ground
        self._crew = crew
        self._outages = outages
        self._planned: list[Misfortune] = []
        self._lock = threading.Lock()

    def plan(self, misfortunes: Iterable[Misfortune]) -> None:
        """Let this come, and no more of what was planned before."""
        with self._lock:
            self._planned = list(misfortunes)

    def step(self, number: int) -> None:
        """Let happen all that is planned up to this step of the act."""
        with self._lock:
            while self._planned and self._planned[0].at <= number:
                misfortune = self._planned.pop(0)
                self.struck[misfortune.name] += 1
                self._strike(misfortune)

    def clear_up(self) -> None:
        """Let XCover be well again; what is cut mends by itself."""
        requests.delete(self._control, timeout=10).raise_for_status()

    @property
    def _control(self) -> str:
        return f"{self._ground.xcover_url}/_sandbox/faults"

    def pass_time(self, days: int) -> None:
        """Move the clock of XCover on. What falls due meanwhile is told at once."""
        clock = f"{self._ground.xcover_url}/_sandbox/clock"
        requests.post(clock, json={"advance": f"{days}d"}, timeout=120).raise_for_status()

    def _strike(self, misfortune: Misfortune) -> None:
        match misfortune.what:
            case plan.XCOVER:
                fault = dict(misfortune.fault)
                requests.post(self._control, json=fault, timeout=10).raise_for_status()
            case plan.KILL_WORKER:
                self._crew.kill_worker(misfortune.at)
            case plan.AWAY:
                self._ground.xcover_wire.cut(misfortune.seconds)
            case plan.CUT_BROKER:
                self._ground.broker_wire.cut(misfortune.seconds)
            case plan.CUT_DATABASE:
                self._outages.begin(misfortune.seconds)
                self._ground.database_wire.cut(misfortune.seconds)
            case plan.END_CONNECTIONS:
                self._outages.begin(0)
                self._ground.terminate_connections()
