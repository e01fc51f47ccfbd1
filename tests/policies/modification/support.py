"""What the tests of changes say and look at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django_xcover.models import Modification, Operation, OperationKind, QuotePackage
from django_xcover.policies import modification
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package

State = Modification.State
NOT_MODIFIABLE = "This cover cannot be changed."
BEING_CHANGED = "An earlier change is still being made. Please try again in a moment."
NOTHING = "Nothing would change."
NOT_ACCEPTED = "XCover does not accept this change."
OUTDATED = "Your cover has changed since this was priced. Please ask for a new price."
ABANDONED = "This change is no longer open. Please ask for a new price."
MADE = "This change has already been confirmed."
WRONG_PHONE = 'The phone number should start with "+" character'


def details(package: QuotePackage, **policyholder: Any) -> Modification:
    return modification.change_details(package, policyholder, origin="shopper")


def price(package: QuotePackage, value: str = "1500", **fields: Any) -> Modification:
    """Ask what it costs that the laptop is worth `value`."""
    changes = fields or {"price": Decimal(value)}
    quote = package.quotes.get(line_reference="laptop")
    return modification.quote_change(package, quote=quote, update_fields=changes, origin="shopper")


def the_modification() -> Modification:
    return Modification.objects.get()


def the_modify() -> Operation:
    return Operation.objects.get(kind=OperationKind.MODIFY)


def total_at(sandbox: Sandbox) -> Decimal:
    return Decimal(sandbox.package(the_package().package_id)["total_price"])


def another(package: QuotePackage) -> QuotePackage:
    other = QuotePackage.objects.get(pk=package.pk)
    other.pk, other.package_id = None, "OTHER-PACKA-INS"
    other.save(force_insert=True)
    return other
