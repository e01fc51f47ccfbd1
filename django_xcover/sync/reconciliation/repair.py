"""Check one package that seems to differ: read it again, repair it if possible, and compare.

XCover's list is read page by page while shoppers buy, so a difference is confirmed by another read
before it is reported.
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

# After this many unreadable bookings in a row, XCover is assumed to be down.
PATIENCE = 3
# Errors that the next booking would meet as well.
HOPELESS = (AuthenticationFailed, ConfigurationError, HeldBack)


@dataclass
class Look:
    """Checks packages of one account. `fix` allows updating stored packages from XCover.

    `renew_lease` is called before each call to XCover, so that a long page doesn't lose the lease.
    """

    client: XCoverClient
    report: Report
    fix: bool
    renew_lease: Callable[[], None]
    failures: int = field(default=0, init=False)

    def at(self, ours: Ours, listed: PackageAnswer | None = None) -> list[Finding] | None:
        """Return the findings, None if they can't be determined now.

        `listed` is the booking in XCover's list. Raises XCoverError if XCover can't be reached.
        """
        if listed and not (diff.compare(ours, listed) or diff.is_behind(ours, listed)):
            return []
        if ours.in_hand:
            return None
        return self._patiently(ours.package.package_id, lambda: self._closely(ours))

    def at_unknown(self, package_id: str) -> list[Finding] | None:
        """Return the finding for a booking unknown here, [] if XCover no longer holds it."""
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
                return None  # changed in the meantime: the next pass compares it
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
        """Skip a booking that XCover can't show, but raise if XCover is down."""
        self.renew_lease()
        try:
            findings = look()
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
        return findings


def _may_follow(ours: Ours, theirs: PackageAnswer) -> bool:
    """Return whether the stored status may change to XCover's; if not, a person has to look."""
    before, after = ours.package.status, theirs.status
    return before == after or may_follow(before, after, STATUSES)


def _again(ours: Ours) -> Ours:
    return read_ours(QuotePackage.objects.filter(pk=ours.package.pk))[0]
