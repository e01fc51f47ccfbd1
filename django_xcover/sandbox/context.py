"""What an operation gets to work with."""

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

DEFAULT_SITE = "https://staging.xcover.com"


@dataclass
class World:
    """The store, the clock and the consumer site that links point to."""

    store: Store
    clock: Clock
    site_url: str


@dataclass(frozen=True)
class Inquiry:
    """One admitted call: who asks for what, with the payload parsed from JSON."""

    world: World
    partner: str
    ids: Mapping[str, str]
    payload: Any
    query: Mapping[str, str]
    effect: Fault | None = None
    notices: list[Notice] = field(default_factory=list)

    def package(self) -> Package:
        """Return the package the path names; raise ApiError 404 when it is not the partner's."""
        found = self.world.store.find_package(self.ids["package"])
        if found is None or found.partner != self.partner:
            raise package_not_found()
        return found

    def save(self, package: Package) -> None:
        """Keep the package as it is now."""
        self.world.store.save_package(package)

    def tell(self, package: Package, event: str) -> None:
        """Have the partner told of this event once the call is carried out."""
        self.notices.append(about(package, event))

    def stamp(self) -> datetime:
        """Return a time never given before."""
        return self.world.clock.stamp()

    def suffers(self, kind: str) -> bool:
        """Return whether the planned fault of this kind applies."""
        return self.effect is not None and self.effect.kind == kind


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body; None is an empty body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
