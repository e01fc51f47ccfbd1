"""Which fields of a policy are money, and which one is what the insured thing is worth.

One answer for every door. What was sent is kept as JSON, where an amount is text like a postcode,
and XCover publishes no list of the fields of its policy types: so the name of a field tells it.
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
    """Return the field that says what the insured thing is worth, "" where there is none."""
    return WORTH.get(policy_type, "")


def is_amount(policy_type: str, path: Path) -> bool:
    """Return whether the field at `path` of such a policy is an amount of money."""
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return False
    return names == [worth_of(policy_type)] or bool(AMOUNT.search(names[-1]))


def amount_of(value: object) -> Decimal | None:
    """Return the amount that `value` stands for, as it is or as text; None where it is none."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def typed(policy_type: str, path: Path, value: Any) -> Any:
    """Return `value`, which stands at `path`, with its amounts as Decimal: kept, they are text."""
    if isinstance(value, Mapping):
        return {key: typed(policy_type, (*path, key), below) for key, below in value.items()}
    if isinstance(value, list):
        return [typed(policy_type, (*path, index), below) for index, below in enumerate(value)]
    found = amount_of(value) if isinstance(value, str) and is_amount(policy_type, path) else None
    return value if found is None else found
