"""Countries, currencies and tax lines of prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django_xcover.sandbox import money

# ISO 3166-1 alpha-2, which the v1 specification declares as a closed list.
_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())


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
