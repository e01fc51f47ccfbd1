"""The arguments and results of the sandbox's operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django_xcover.sandbox.clock import Clock
from django_xcover.sandbox.events import Notice, about
from django_xcover.sandbox.http.errors import package_not_found
from django_xcover.sandbox.http.faults import Fault
from django_xcover.sandbox.packages import Package
from django_xcover.sandbox.store import Store
from django_xcover.sandbox.xpay import XPay

DEFAULT_SITE = "https://staging.xcover.com"


@dataclass
class World:
    """The store, the clock, the URL of the consumer site in links, and the cards."""

    store: Store
    clock: Clock
    site_url: str
    xpay: XPay


@dataclass(frozen=True)
class Inquiry:
    """One authenticated call: the partner, the ids in the path, and the parsed payload."""

    world: World
    partner: str
    ids: Mapping[str, str]
    payload: Any
    query: Mapping[str, str]
    effect: Fault | None = None
    notices: list[Notice] = field(default_factory=list)

    def package(self) -> Package:
        """Return the package in the path. Raise ApiError 404 if it is not the partner's."""
        package = self.world.store.find_package(self.ids["package"])
        if package is None or package.partner != self.partner:
            raise package_not_found()
        return package

    def save(self, package: Package) -> None:
        """Store the package."""
        self.world.store.save_package(package)

    def notify(self, package: Package, event: str) -> None:
        """Send the partner this event once the call has succeeded."""
        self.notices.append(about(package, event))

    def stamp(self) -> datetime:
        """Return a unique timestamp."""
        return self.world.clock.stamp()

    def has_effect(self, kind: str) -> bool:
        """Return whether a planned fault of this kind applies to the call."""
        return self.effect is not None and self.effect.kind == kind


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body, or None for an empty body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
