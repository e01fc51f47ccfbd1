"""What XCover holds when everything is over, read from the sandbox's file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django_xcover.sandbox import Sandbox

BOOKED = {"PENDING_PAYMENT", "CONFIRMED", "CANCELLED", "RENEWED"}
# What may happen once: its address names the package, or what was previewed or priced.
ONCE = ("create_booking", "confirm_cancellation", "confirm_modification", "confirm_renewal")


@dataclass(frozen=True)
class Truth:
    """What XCover holds: packages by id, and which were booked for which order.

    `posted_twice` are packages of which something that may happen once was posted under two
    idempotency keys: one key is what keeps a repeated post from being a second booking.
    """

    packages: dict[str, dict[str, Any]]
    by_order: dict[str, list[dict[str, Any]]]
    posted_twice: dict[str, set[str]]
    calls: dict[str, list[str]] = field(default_factory=dict)

    def quote(self, package_id: str, quote_id: str) -> dict[str, Any]:
        """Return one policy of a package."""
        quotes: list[dict[str, Any]] = self.packages[package_id]["quotes"]
        return next(quote for quote in quotes if quote["id"] == quote_id)


def read_sandbox(database: Path) -> Truth:
    """Return what the sandbox has in its file, after its process has ended."""
    sandbox = Sandbox(database=str(database))
    try:
        packages = {package["id"]: package for package in sandbox.packages()}
        posted_twice = _posted_twice(sandbox)
        calls = _calls(sandbox)
    finally:
        sandbox.close()
    by_order: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for package in packages.values():
        if package["status"] in BOOKED:
            by_order[package["partner_transaction_id"]].append(package)
    return Truth(packages, by_order, posted_twice, calls)


def _posted_twice(sandbox: Sandbox) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for operation in ONCE:
        keys: dict[str, set[str | None]] = defaultdict(set)
        for call in sandbox.calls(operation):
            keys[call.path].add(call.idempotency_key)
        for path, used in keys.items():
            if len(used) > 1:
                found[operation].add(_package_id(path))
    return found


def _calls(sandbox: Sandbox) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for call in sandbox.calls():
        if "-INS" in call.path:
            found[_package_id(call.path)].append(f"{call.operation}: {call.status}")
    return found


def _package_id(path: str) -> str:
    return next(part for part in path.split("/") if part.endswith("-INS"))
