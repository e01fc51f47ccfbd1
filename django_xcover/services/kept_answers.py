"""What is kept of XCover's answer to a cancellation or a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What such an answer repeats of the booking and the customer, and links that open documents: kept
# with the package.
NOT_KEPT = frozenset(
    {"quotes", "policyholder", "partner", "coi", "pds_url", "account_url", "security_token"}
)


def kept(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the answer says besides."""
    return {key: value for key, value in raw.items() if key not in NOT_KEPT}
