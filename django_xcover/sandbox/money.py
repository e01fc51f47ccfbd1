"""Currencies: fixed rates, minor units, and the format of amounts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

# The currencies a quote request may name (Quotes API: currencies), in units per pound. Fixed and
# rounded, because a price must be repeatable; A$ 1.87 is the rate seen in the recordings.
_RATES = """
AED=4.67 AFN=90 ARS=1270 AUD=1.87 AZN=2.16 BAM=2.29 BDT=152 BGN=2.29 BHD=0.48 BRL=7.1 BSD=1.27
BYN=4.15 CAD=1.75 CHF=1.12 CLP=1210 CNY=9.15 COP=5230 CRC=645 CZK=29 DJF=226 DKK=8.7 EGP=63
ERN=19 ETB=160 EUR=1.17 FJD=2.88 GBP=1 GEL=3.5 GTQ=9.8 HKD=9.9 HNL=32 HRK=8.8 HUF=468 IDR=20600
ILS=4.7 INR=107 IQD=1665 ISK=175 JOD=0.9 JPY=190 KES=164 KHR=5100 KRW=1770 KWD=0.39 KZT=660
LAK=27800 LBP=113800 LKR=374 MAD=12.6 MKD=72 MUR=59 MVR=19.6 MXN=25.7 MYR=5.65 NGN=1960 NOK=14
NPR=171 NZD=2.15 OMR=0.49 PEN=4.75 PHP=73.5 PKR=354 PLN=5 QAR=4.63 RON=5.8 RSD=137 RUB=127
SAR=4.77 SDG=764 SEK=13.9 SGD=1.7 SYP=16500 THB=43.6 TJS=13.8 TRY=44 TWD=41.3 UAH=53 UGX=4670
USD=1.27 UYU=54.5 UZS=16300 VND=32200 XPF=140 YER=317 ZAR=23
"""
RATES = {code: Decimal(rate) for code, _, rate in (item.partition("=") for item in _RATES.split())}
ZERO = Decimal(0)
ZERO_DECIMALS = frozenset({"CLP", "DJF", "ISK", "JPY", "KRW", "UGX", "VND", "XPF"})
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "OMR"})
SYMBOLS = {
    "AUD": "A$", "CAD": "CA$", "EUR": "€", "GBP": "£", "HKD": "HK$", "ILS": "₪", "INR": "₹",
    "JPY": "JP¥", "KRW": "₩", "MXN": "MX$", "NZD": "NZ$", "PHP": "₱", "TWD": "NT$", "USD": "US$",
    "VND": "₫", "CNY": "CN¥", "BRL": "R$",
}  # fmt: skip


def decimals(currency: str) -> int:
    """Return the number of digits of the currency's minor unit (ISO 4217)."""
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def rounded(amount: Decimal, currency: str, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Return the amount in whole minor units."""
    return amount.quantize(Decimal(1).scaleb(-decimals(currency)), rounding=rounding)


def converted(amount: Decimal, source: str, target: str) -> Decimal:
    """Return the amount in the target currency, in whole minor units."""
    return rounded(amount * RATES[target] / RATES[source], target)


def number(amount: Decimal) -> Decimal:
    """Return the amount as XCover writes it: always with a decimal point, no trailing zeros."""
    sign, digits, exponent = amount.normalize().as_tuple()
    shift = int(exponent) + 1
    if shift <= 0:
        return Decimal((sign, digits, int(exponent)))
    return Decimal((sign, (*digits, *([0] * shift)), -1))


def formatted(amount: Decimal, currency: str) -> str:
    """Return `£2.01`: symbol, no space, no thousands separator (recorded in 2021).

    Inferred: a currency without a common symbol is written by its code and a no-break space.
    """
    prefix = SYMBOLS.get(currency, f"{currency}\u00a0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{prefix}{rounded(abs(amount), currency)}"


def pair(name: str, amount: Decimal | None, currency: str) -> dict[str, Decimal | str | None]:
    """Return the two keys of an amount: `name` and `name_formatted`."""
    if amount is None:
        return {name: None, f"{name}_formatted": None}
    return {name: number(amount), f"{name}_formatted": formatted(amount, currency)}
