"""Tax lines and currencies of prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django_xcover.sandbox import money

# Insurance premium taxes in per cent, by the customer's country. Inferred: the usual rates of
# general insurance; only the British line was recorded.
TAXES = {
    "AT": ("VSt", "11"), "AU": ("GST", "10"), "BE": ("IPT", "9.25"), "DE": ("VSt", "19"),
    "ES": ("IPS", "8"), "FR": ("TCA", "9"), "GB": ("IPT", "12"), "IE": ("Levy", "5"),
    "IT": ("IPT", "21.25"), "NL": ("IPT", "21"), "NZ": ("GST", "15"), "PT": ("IPT", "9"),
}  # fmt: skip
ADMIN_FEES_IN_POUNDS = {"GB": Decimal("0.50")}
POLICY_CURRENCIES = {"AU": "AUD", "CA": "CAD", "GB": "GBP", "JP": "JPY", "KW": "KWD", "NZ": "NZD"}
_EURO_AREA = "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"
EURO_AREA = frozenset(_EURO_AREA.split())


def tax_lines(net: Decimal, country: str, currency: str) -> list[dict[str, Any]]:
    """Return the fee and the taxes on a net premium, fee first, each in whole minor units."""
    lines = []
    if country in ADMIN_FEES_IN_POUNDS:
        fee = money.converted(ADMIN_FEES_IN_POUNDS[country], "GBP", currency)
        lines.append(_line("Admin. fee", "FIXED_VALUE", fee, fee))
    if country in TAXES:
        code, percent = TAXES[country]
        rate = Decimal(percent)
        tax = money.rounded(net * rate / 100, currency)
        lines.append(_line(code, "PERCENTAGE", rate, tax))
    return lines


def _line(code: str, kind: str, value: Decimal, amount: Decimal) -> dict[str, Any]:
    return {"code": code, "type": kind, "value": value, "amount": amount}


def policy_currency(country: str) -> str:
    """Return the underwriter's currency. Inferred: staging used A$ for all countries."""
    if country in EURO_AREA:
        return "EUR"
    return POLICY_CURRENCIES.get(country, "USD")
