"""The adapters of docs/oscar.md, and some that override more."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import page
from oscar.core.prices import Price

from django_xcover.types import Money

for words in ("class ShopCover", "class EachItem"):
    exec(page.block(words), globals())

ShopCover: Any = globals()["ShopCover"]


class AtHome(ShopCover):
    default_country = "GB"


class Nothing(ShopCover):
    def insure(self, line: Any) -> None:
        """Insure nothing."""


class Broken(ShopCover):
    def insure(self, line: Any) -> None:
        raise ValueError("a mistake of the shop")


class Taxed(ShopCover):
    def get_surcharge(self, premium: Money) -> Price:
        amount = premium.amount.quantize(Decimal("0.01"))
        return Price(premium.currency, excl_tax=amount - 1, incl_tax=amount)


class Mistaken(ShopCover):
    def get_surcharge(self, premium: Money) -> Price:
        raise ValueError("a mistake of the shop")

    def is_paid(self, order: Any) -> bool:
        raise ValueError("a mistake of the shop")


class ChargedTwice(ShopCover):
    def charged_by_xcover(self, order: Any) -> bool:
        return True
