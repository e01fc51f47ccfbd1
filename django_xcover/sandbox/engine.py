"""The local XCover: the object that connects all its parts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django_xcover.sandbox import renewing
from django_xcover.sandbox.clock import Clock
from django_xcover.sandbox.context import DEFAULT_SITE, World
from django_xcover.sandbox.http.auth import Gatekeeper, Partner
from django_xcover.sandbox.http.call_log import Call, CallLog
from django_xcover.sandbox.http.errors import package_not_found
from django_xcover.sandbox.http.faults import Faults, Latency
from django_xcover.sandbox.http.idempotency import Idempotency
from django_xcover.sandbox.http.pipeline import Gateway
from django_xcover.sandbox.http.wsgi import Application
from django_xcover.sandbox.packages import Package
from django_xcover.sandbox.serializers.package import total
from django_xcover.sandbox.store import Store
from django_xcover.sandbox.webhooks import Webhooks
from django_xcover.sandbox.xpay import XPay

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Sandbox:
    """A local XCover for one or more partners, with its state in a SQLite file or in memory.

    `site_url` is the base of links to documents. `max_skew` is the tolerance for a request's
    `Date`; None, the default, accepts any, as staging did in 2021. The attribute `latency` sets how
    long responses take, and `xpay` has the card tokens and the charges.
    """

    def __init__(
        self,
        *,
        partner_code: str = "SHOP1",
        api_key: str = "sandbox-key",
        api_secret: str = "sandbox-secret",  # noqa: S107 - not a real secret
        database: str = ":memory:",
        site_url: str = DEFAULT_SITE,
        max_skew: timedelta | None = None,
    ) -> None:
        self.store = Store(database)
        self.clock = Clock(self.store)
        self.faults = Faults()
        self.latency = Latency()
        self.webhooks = Webhooks(self.faults)
        self.xpay = XPay(self.store, self.clock)
        self.world = World(self.store, self.clock, site_url.rstrip("/"), self.xpay)
        self._partners: dict[str, Partner] = {}
        self._call_log = CallLog(self.store, self.clock)
        self.gateway = Gateway(
            self.world,
            Gatekeeper(self._partners, max_skew),
            self.faults,
            Idempotency(self.store, self.clock),
            self._call_log,
            self.webhooks,
        )
        self.add_partner(partner_code=partner_code, api_key=api_key, api_secret=api_secret)
        self._application = Application(
            self.gateway, self.world, self.faults, self.latency, self._call_log, self.webhooks
        )
        self.clock.moved = self.tick

    @property
    def wsgi_app(self) -> WSGIApplication:
        """Return the WSGI application: the API, the documents and the control page."""
        return self._application

    @property
    def site_url(self) -> str:
        """Return the base of links to documents."""
        return self.world.site_url

    @site_url.setter
    def site_url(self, value: str) -> None:
        self.world.site_url = value.rstrip("/")

    def add_partner(self, *, partner_code: str, api_key: str, api_secret: str) -> None:
        """Add another partner. Partners do not see each other's packages."""
        self._partners[api_key] = Partner(partner_code, api_key, api_secret)

    def calls(self, operation: str | None = None) -> list[Call]:
        """Return the received calls, oldest first, of one operation or of all."""
        return self._call_log.calls(operation)

    def package(self, package_id: str) -> dict[str, Any]:
        """Return the stored data of a package. Raise ApiError 404 for an unknown id.

        Amounts are Decimal, times aware. It also has the gross `total_price`, and the gross `price`
        of each quote.
        """
        package = self.store.find_package(package_id)
        if package is None:
            raise package_not_found()
        return _data(package)

    def packages(self) -> list[dict[str, Any]]:
        """Return the stored data of all packages, oldest first."""
        return [_data(package) for package in self.store.packages()]

    def tick(self) -> None:
        """Send the events that are due. The clock calls this when it is moved."""
        self.webhooks.post(renewing.announce(self.world))

    def close(self) -> None:
        """Release hanging requests and close the store."""
        self.faults.clear()
        self.webhooks.close()
        self.store.close()


def _data(package: Package) -> dict[str, Any]:
    shown = package.booked or package.quotes
    quotes = [{**asdict(quote), "price": quote.price} for quote in package.in_order]
    return {**package.document(), "quotes": quotes, "total_price": total(shown)}
