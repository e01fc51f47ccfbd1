"""Whether what waits for a person waits for a reason that XCover gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from django_xcover.conf import get_config
from django_xcover.models import (
    Attention,
    Cancellation,
    Choice,
    Modification,
    Operation,
    Quote,
    QuotePackage,
    Status,
)
from tests.chaos.history import History
from tests.chaos.truth import BOOKED, Truth

# What an attempt fails of when XCover, or the way to it, is at fault.
WEATHER = {
    "connection_failed", "deadline_exceeded", "locked", "server_fault", "throttled",
    "unexpected_answer",
}  # fmt: skip


def is_tried_out(operation: Operation) -> bool:
    """Return whether each of its attempts has failed, the last one of XCover's weather.

    By chance one may meet as many misfortunes in a row; then a person has it, as is promised.
    """
    used_up = operation.failures >= get_config().attempts
    return used_up and operation.error.get("type") in WEATHER


class Reasons:
    """The reasons of one run. `lies` is how often XCover told another price than it holds."""

    def __init__(self, truth: Truth, history: History, *, lies: int) -> None:
        self._truth = truth
        self._history = history
        self._lies = lies
        self._checks: Mapping[str, Callable[[QuotePackage], bool]] = {
            Attention.POLICY_MISSING: self._is_missing,
            Attention.BOOKING_FAILED: self._is_missing,
            Attention.PRICE_DIFFERS: self._is_dearer,
            Attention.REFUND_UNCLEAR: self._was_cancelled_elsewhere,
            Attention.CANCELLATION_REFUSED: _was_not_cancelled,
            Attention.CHANGE_REFUSED: _was_not_changed,
        }

    def flags(self, package: QuotePackage) -> set[str]:
        """Return every flag that the package ever had."""
        return self._history.flags[package.pk] - {""}

    def explain(self, package: QuotePackage, waiting: list[Operation]) -> bool:
        """Return whether XCover refused what waits for good, and each flag is true."""
        flags = self.flags(package)
        refused = all(operation.error.get("permanent") for operation in waiting)
        return refused and all(
            flag in self._checks and self._checks[flag](package) for flag in flags
        )

    def _is_missing(self, package: QuotePackage) -> bool:
        """Return whether a policy is said to be missing, and is missing at XCover indeed."""
        accepted = {quote.quote_id for quote in _agreed(package) if quote.status != Status.DELETED}
        quotes = self._truth.packages[package.package_id]["quotes"]
        booked = {quote["id"] for quote in quotes if quote["status"] in BOOKED}
        return bool(accepted - booked)

    def _is_dearer(self, package: QuotePackage) -> bool:
        """Return whether XCover holds another price than was agreed on, or has told one.

        It told one when the mirror has had another price; no more packages than lies were told.
        """
        quotes = _agreed(package)
        held = {
            one["id"]: one["price"] for one in self._truth.packages[package.package_id]["quotes"]
        }
        if any(held.get(quote.quote_id, Decimal(0)) != quote.chosen_price for quote in quotes):
            return True
        told = any(quote.pk in self._history.repriced for quote in quotes)
        self._lies -= told
        return told and self._lies >= 0

    def _was_cancelled_elsewhere(self, package: QuotePackage) -> bool:
        """Return whether XCover holds it as cancelled, and nobody here has asked for that."""
        held = self._truth.packages[package.package_id]["status"]
        return held == "CANCELLED" and not package.cancellations.exists()


def _agreed(package: QuotePackage) -> list[Quote]:
    """Return what was accepted, also when it was taken back since.

    The flag was true when it was raised; that the shop cancels the order later ends no flag.
    """
    return list(package.quotes.filter(choice__in=(Choice.ACCEPTED, Choice.WITHDRAWN)))


def _was_not_cancelled(package: QuotePackage) -> bool:
    return package.cancellations.filter(state=Cancellation.State.REFUSED).exists()


def _was_not_changed(package: QuotePackage) -> bool:
    return package.modifications.filter(state=Modification.State.REFUSED).exists()
