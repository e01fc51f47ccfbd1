"""The fields of a change: which of them are amounts, and their labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from django_xcover.client.errors import NO_FIELD
from django_xcover.formats import format_amount
from django_xcover.models import Quote
from django_xcover.types import Money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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


# Labels for the policyholder's details.
LABELS: Mapping[str, StrOrPromise] = {
    "first_name": _("First name"),
    "middle_name": _("Middle name"),
    "last_name": _("Last name"),
    "company": _("Company"),
    "email": _("E-mail"),
    "secondary_email": _("Second e-mail"),
    "phone": _("Phone, with + and the country code"),
    "address1": _("Address"),
    "address2": _("Address, second line"),
    "city": _("Town or city"),
    "postcode": _("Postcode"),
    "region": _("Region"),
    "country": _("Country (two letters)"),
    "birth_date": _("Date of birth"),
    "age": _("Age"),
}


def label_of(name: str) -> StrOrPromise:
    """Return the label of the field; an unknown field is labelled with its own name."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def label_at(path: str) -> str:
    """Return the label of the field at XCover's dotted path, such as `policyholder.phone`.

    A path that doesn't belong to a field is returned unchanged.
    """
    names = [part for part in path.split(".") if not part.isdecimal()]
    return path if path == NO_FIELD or not names else str(label_of(names[-1]))


def change_in_words(
    quote: Quote, new: Mapping[str, Any], old: Mapping[str, Any], currency: str
) -> str:
    """Return which policy changes and how: "Lumen 14: Insured value £1,000.00 (was £1,500.00)".

    `new` holds the changed fields, empty once the change has ended, and `old` their old values.
    """
    name = quote.label or quote.policy_name
    told = [_field(quote.policy_type, field, new[field], old.get(field), currency) for field in new]
    return f"{name}: {', '.join(told)}" if told else name


def field_in_words(policy_type: str, name: str, value: object, currency: str) -> tuple[str, str]:
    """Return the label of a policy's field, and its formatted value."""
    label = _("Insured value") if name == worth_of(policy_type) else label_of(name)
    amount = amount_of(value) if is_amount(policy_type, (name,)) else None
    return str(label), str(value) if amount is None else format_amount(Money(amount, currency))


def is_readable(value: object) -> bool:
    """Return whether `value` can be shown as it is; a list or an object can't."""
    return isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)


def _field(policy_type: str, name: str, new: object, old: object, currency: str) -> str:
    label, value = field_in_words(policy_type, name, new, currency)
    if not is_readable(new):
        return label
    if not is_readable(old):
        return f"{label} {value}"
    facts = {"field": label, "new": value}
    facts["old"] = field_in_words(policy_type, name, old, currency)[1]
    return _("%(field)s %(new)s (was %(old)s)") % facts
