"""The local XPay: card tokens, and what bookings charge (Quotes API: dual payment).

No card number is stored. Inferred: everything that a real card does, such as when it is declined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import datetimes, ids
from django_xcover.sandbox.clock import Clock
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.store import Store
from django_xcover.sandbox.validation import Field, clean, email, nested, text

# XPay refuses to make a token of the first, and accepts the second, which the bank then declines.
REFUSED_CARD = "4000000000000002"
DECLINED_CARD = "4000000000000341"
CARD: dict[str, Field] = {
    "number": Field(text, required=True),
    "expiryMonth": Field(text, required=True),
    "expiryYear": Field(text, required=True),
    "cvc": Field(text, required=True),
    "holderName": Field(text, required=True),
}
TOKEN: dict[str, Field] = {
    "customer": Field(nested({"email": Field(email, required=True)}), required=True),
    "creditCard": Field(nested(CARD), required=True),
}
VARIANTS = {"4": "visa", "5": "mastercard", "3": "amex"}


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge of a card: its token, the booking, and the amount."""

    token: str
    package: str
    amount: Decimal
    currency: str


class XPay:
    """The tokens and the charges. They survive a restart."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create_token(self, payload: Any) -> dict[str, Any]:
        """Return the answer to `POST customer-tokens`; nothing is charged.

        Raise ApiError 422 for a card that can't be used. The errors never repeat its number.
        """
        data = clean(payload, TOKEN)
        card = data["creditCard"]
        number = re.sub(r"[\s-]", "", card["number"])
        _check(card, number, self._clock)
        token = ids.new_uuid()
        self.add_token(token, data["customer"]["email"], is_declined=number == DECLINED_CARD)
        return {"data": self._shown(token, data["customer"]["email"], card, number)}

    def add_token(self, token: str, email_: str, *, is_declined: bool = False) -> None:
        """Add a token for a test: its card is declined by the bank if `is_declined`."""
        self._store.rows(
            "INSERT INTO card_token (id, email, is_declined) VALUES (?, ?, ?)",
            (token, email_, is_declined),
        )

    def charge(
        self, token: str, *, policyholder_email: str, package: str, amount: Decimal, currency: str
    ) -> None:
        """Charge the card, once per token. Raise ApiError 422 if it can't be charged.

        Inferred: the errors, and that a token can be used only once.
        """
        rows = self._store.rows(
            "SELECT email, is_declined, charged FROM card_token WHERE id = ?", (token,)
        )
        if not rows:
            raise _refused("The token does not exist.")
        owner, is_declined, charged = rows[0]
        if charged is not None:
            raise _refused("The token has been used.")
        if owner != policyholder_email:
            raise _refused("The policyholder's e-mail is not that of the token.")
        if is_declined:
            raise _refused("The card was declined.")
        self._store.rows(
            "UPDATE card_token SET charged = ?, package = ?, currency = ? WHERE id = ?",
            (str(amount), package, currency, token),
        )

    @property
    def charges(self) -> list[Charge]:
        """Return the charges, oldest first."""
        rows = self._store.rows(
            "SELECT id, package, charged, currency FROM card_token "
            "WHERE charged IS NOT NULL ORDER BY number"
        )
        return [Charge(token, package, Decimal(sum_), unit) for token, package, sum_, unit in rows]

    def _shown(self, token: str, owner: str, card: dict[str, Any], number: str) -> dict[str, Any]:
        now = datetimes.stamp(self._clock.now())
        return {
            "id": token,
            "customerId": ids.account_id(owner),
            "paymentProviderId": "sandbox",
            "createdAt": now,
            "updatedAt": now,
            "metadata": {
                "variant": VARIANTS.get(number[0], "unknown"),
                "paymentMethod": "Credit card",
                "expiryMonth": card["expiryMonth"],
                "expiryYear": card["expiryYear"],
                "holderName": card["holderName"],
                "number": number[-4:],
            },
            "partnerId": None,
            "isVisible": True,
            "isDefault": False,
        }


def _refused(message: str) -> Invalid:
    return Invalid({"customer_token_id": [message]})


def _check(card: dict[str, Any], number: str, clock: Clock) -> None:
    errors: dict[str, list[str]] = {}
    if not re.fullmatch(r"\d{13,19}", number) or not _passes_luhn(number):
        errors["number"] = ["This isn't a valid card number."]
    elif number == REFUSED_CARD:
        errors["number"] = ["The bank declined this card. Nothing was charged."]
    if not _is_valid_until(card["expiryMonth"], card["expiryYear"], clock):
        errors["expiry"] = ["The card has expired, or this isn't a date."]
    if not re.fullmatch(r"\d{3,4}", card["cvc"]):
        errors["cvc"] = ["Enter the 3 or 4 digits on the card."]
    if errors:
        raise Invalid({"creditCard": errors})


def _is_valid_until(month: str, year: str, clock: Clock) -> bool:
    if not re.fullmatch(r"0[1-9]|1[0-2]", month) or not re.fullmatch(r"\d{4}", year):
        return False
    now = clock.now()
    return (int(year), int(month)) >= (now.year, now.month)


def _passes_luhn(number: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0
