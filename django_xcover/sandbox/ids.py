"""Ids in XCover's formats (recorded traffic: ids)."""

from __future__ import annotations

import secrets
import string
import uuid

# Without similar characters: no I O S Z 0 1 2 5 in 510 recorded characters.
PACKAGE_ALPHABET = "ABCDEFGHJKLMNPQRTUVWXY346789"
MIXED_ALPHABET = string.ascii_letters + string.digits
ACCOUNTS = uuid.UUID("2f6f7a52-6e0f-4d8e-9a52-3f0c1f5d7a10")


def new_package_id() -> str:
    """Return a package id, which is later the booking's id: `KXR4W-9PJTC-INS`."""
    return f"{_groups(PACKAGE_ALPHABET, 2)}-INS"


def new_update_id() -> str:
    """Return a case-sensitive modification id ending in `-UPD`."""
    return f"{_groups(MIXED_ALPHABET, 3)}-UPD"


def new_cancellation_id() -> str:
    """Return a case-sensitive cancellation id ending in `-CCL`."""
    return f"{_groups(MIXED_ALPHABET, 3)}-CCL"


def new_renewal_id() -> str:
    """Return a case-sensitive renewal id ending in `-UPD`, as on the renewal page."""
    return f"{_groups(MIXED_ALPHABET, 3)}-UPD"


def new_announced_renewal_id() -> str:
    """Return a renewal id ending in `-REN`, the format in the webhooks of 2020."""
    return f"{_groups(MIXED_ALPHABET, 2)}-REN"


def new_token() -> str:
    """Return a security or signup token: four groups of five."""
    return _groups(MIXED_ALPHABET, 4)


def new_uuid() -> str:
    """Return the id of a quote, an insured person, an instalment or a fast quote."""
    return str(uuid.uuid4())


def account_id(email: str) -> str:
    """Return the customer account's id. In every recording it is the same for the same e-mail."""
    return str(uuid.uuid5(ACCOUNTS, email.lower()))


def _groups(alphabet: str, count: int) -> str:
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(count))
