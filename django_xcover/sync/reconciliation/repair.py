"""A close look at one package that raised a doubt: read, mended if it can be, and compared.

XCover's list is read page by page while people buy, so what differs from it is read once more
before anything is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django_xcover import safe_logging
from django_xcover.client import (
    AuthenticationFailed,
    ConfigurationError,
    HeldBack,
    NotFound,
    UnexpectedAnswer,
    XCoverClient,
    XCoverError,
)
from django_xcover.client.schemas.packages import PackageAnswer
from django_xcover.exceptions import code_of
from django_xcover.mirror import refresh
from django_xcover.models import QuotePackage
from django_xcover.outbox.transitions import STATUSES, may_follow
from django_xcover.sync.reconciliation import diff
from django_xcover.sync.reconciliation.diff import Finding, Ours
from django_xcover.sync.reconciliation.local_state import read_ours
from django_xcover.sync.reconciliation.report import Report

logger = safe_logging.get_logger("django_xcover.reconciliation")

# After as many bookings in a row that XCover could not show it is XCover and not the booking.
PATIENCE = 3
# These would meet the next booking as well.
HOPELESS = (AuthenticationFailed, ConfigurationError, HeldBack)


@dataclass
class Look:
    """Looks at packages of one account. `fix` allows it to bring mirrors up to XCover.

    `tell` is called before each call to XCover, so that a long page is no dead walker.
    """

    client: XCoverClient
    report: Report
    fix: bool
    tell: Callable[[], None]
    failures: int = field(default=0, init=False)

    def at(self, ours: Ours, listed: PackageAnswer | None = None) -> list[Finding] | None:
        """Return what differs, None when that cannot be told now.

        `listed` is what XCover's list shows. Raises XCoverError when XCover cannot be asked.
        """
        if listed and not (diff.compare(ours, listed) or diff.is_behind(ours, listed)):
            return []
        if ours.in_hand:
            return None
        return self._patiently(ours.package.package_id, lambda: self._closely(ours))

    def at_unknown(self, package_id: str) -> list[Finding] | None:
        """Return whether XCover still holds a booking that nobody here knows."""
        return self._patiently(package_id, lambda: self._still_unknown(package_id))

    def _closely(self, ours: Ours) -> list[Finding] | None:
        theirs = None if ours.package.is_provisional else self._read(ours.package.package_id)
        behind = theirs is not None and diff.is_behind(ours, theirs)
        if theirs is not None and behind and self.fix and _may_follow(ours, theirs):
            _, theirs = refresh.reread(ours.package)
            again = _again(ours)
            self.report.mended += not diff.is_behind(again, theirs)
        else:
            again = _again(ours)
            if again.package.updated_at != ours.package.updated_at:
                return None  # somebody learned something meanwhile: the next pass will see
        return None if again.in_hand else diff.compare(again, theirs)

    def _still_unknown(self, package_id: str) -> list[Finding]:
        theirs = self._read(package_id)
        booked = theirs is not None and theirs.status in diff.COVERED
        return [diff.unknown(theirs)] if theirs is not None and booked else []

    def _read(self, package_id: str) -> PackageAnswer | None:
        try:
            return refresh.read(self.client, package_id)
        except NotFound:
            return None

    def _patiently(
        self, package_id: str, look: Callable[[], list[Finding] | None]
    ) -> list[Finding] | None:
        """Pass over a booking that XCover cannot show, but not over XCover being down."""
        self.tell()
        try:
            found = look()
        except HOPELESS:
            raise
        except XCoverError as error:
            if not (error.permanent or isinstance(error, UnexpectedAnswer)):
                self.failures += 1
            if self.failures >= PATIENCE:
                raise
            logger.warning("Package %s could not be read: %s", package_id, code_of(error))
            self.report.unreadable += 1
            return None
        self.failures = 0
        return found


def _may_follow(ours: Ours, theirs: PackageAnswer) -> bool:
    """Return whether the mirror can follow. Where it cannot, a person has to look, once."""
    before, after = ours.package.status, theirs.status
    return before == after or may_follow(before, after, STATUSES)


def _again(ours: Ours) -> Ours:
    return read_ours(QuotePackage.objects.filter(pk=ours.package.pk))[0]
