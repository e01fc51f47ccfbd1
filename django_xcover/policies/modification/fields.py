"""Which fields of a policy are amounts of money, and which one is the insured value.

Sent values are stored as JSON, where an amount is text just like a postcode, and XCover publishes
no list of fields by policy type. So the field's name has to identify an amount.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Path = tuple[str | int, ...]

# The field of each policy type. Tickets have none: event policies allow only changes without a
# price (Quotes API: Events / Tickets).
WORTH: Mapping[str, str] = {
    "product_insurance": "price",
    "parcel_insurance": "cover_amount",
    "renters_insurance": "contents_value",
}
AMOUNT = re.compile(r"(price|amount|cost|value|sum|limit|rent|income)s?$", re.IGNORECASE)


def worth_of(policy_type: str) -> str:
    """Return the name of the field for the insured value, "" if there is none."""
    return WORTH.get(policy_type, "")


def is_amount(policy_type: str, path: Path) -> bool:
    """Return whether the field at `path` of such a policy is an amount of money."""
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return False
    return names == [worth_of(policy_type)] or bool(AMOUNT.search(names[-1]))


def amount_of(value: object) -> Decimal | None:
    """Return `value`, a number or text, as an amount; None if it isn't one."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def typed(policy_type: str, path: Path, value: Any) -> Any:
    """Return the stored `value` at `path` with its amounts, which are kept as text, as Decimal."""
    if isinstance(value, Mapping):
        return {key: typed(policy_type, (*path, key), below) for key, below in value.items()}
    if isinstance(value, list):
        return [typed(policy_type, (*path, index), below) for index, below in enumerate(value)]
    found = amount_of(value) if isinstance(value, str) and is_amount(policy_type, path) else None
    return value if found is None else found
