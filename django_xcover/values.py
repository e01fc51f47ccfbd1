"""Convert the values that a shop's adapter returns into ones that can be stored and sent.

A shop's models contain more than plain strings: a `PhoneNumber` of django-phonenumber-field, a
`Country` of django-countries, Enum members, lazy translations, UUIDs. A value with a string form is
converted to it. Others are refused with a message that names the place in the adapter and the
type, but not the value, which may be a customer's. Telephone numbers and postcodes are written in
the form that XCover accepts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

try:
    import phonenumbers
except ImportError:  # the extra is not installed
    phonenumbers = None  # type: ignore[assignment]

# The length of the columns for references.
LONGEST_REFERENCE = 100
# Types that JSON or the client's encoder supports.
PLAIN = (bool, int, float, Decimal, datetime, date, UUID)
NOT_TEXT = (bool, bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset)
NUMBERS = (int, float)  # they inherit `object.__str__`


class UnusableValue(ValueError):
    """The adapter returned a value that cannot be stored or sent.

    `str()` names the place and the type but not the value, so it can be logged.
    """

    code: ClassVar[str] = "unusable_value"


class InvalidPolicyRequest(UnusableValue):
    """A function of `django_xcover.policy_requests` got values that XCover refuses.

    `errors` has a text for each wrong argument. Neither they nor `str()` quote a value.
    """

    code: ClassVar[str] = "invalid_policy_request"

    def __init__(self, builder: str, errors: Mapping[str, str]) -> None:
        self.builder, self.errors = builder, dict(errors)
        wrong = "; ".join(f"{name} {why}" for name, why in errors.items())
        super().__init__(f"{builder}() can't be quoted: {wrong}.")

    def __reduce__(self) -> tuple[object, ...]:
        # Celery pickles the exceptions of tasks, and `args` are not the arguments of `__init__`.
        return (type(self), (self.builder, self.errors))


def text(value: object, place: str, *, longest: int | None = None) -> str:
    """Return `value` as a string. Raise UnusableValue for None and for types without a string form.

    A NUL is removed and a lone surrogate becomes U+FFFD, because not every database can store them.
    A name that was pasted with one must not make a paid booking fail.
    """
    plain = _storable(_as_text(value, place))
    if longest is not None and len(plain) > longest:
        raise UnusableValue(f"{place} has more than {longest} characters.")
    return plain


def optional_text(value: object, place: str, *, longest: int | None = None) -> str:
    """Return `value` as a string, "" for None. Raise UnusableValue as `text` does."""
    return "" if value is None else text(value, place, longest=longest)


def reference(value: object, place: str) -> str:
    """Return a reference as a string. Raise UnusableValue if it cannot be stored exactly.

    Unlike a name it is never changed or truncated, because it could become that of another order.
    """
    plain = _as_text(value, place)
    if plain != _storable(plain):
        raise UnusableValue(f"{place} contains a NUL or a lone surrogate.")
    if not plain.strip():
        raise UnusableValue(f"{place} is empty.")
    if len(plain) > LONGEST_REFERENCE:
        raise UnusableValue(f"{place} has more than {LONGEST_REFERENCE} characters.")
    return plain


def whole_number(value: object, place: str) -> int | None:
    """Return `value` as an int, or None if it is None or "". Digits of every script are read."""
    if value is None or value == "":
        return None
    try:
        number = int(_as_text(value, place))
    except ValueError:
        raise UnusableValue(f"{place} is not a whole number.") from None
    return number


def plain(value: object, place: str) -> Any:
    """Return `value` in types that JSON or the client's encoder supports. Raise UnusableValue.

    Mappings and lists are converted recursively, and other values to strings.
    """
    if isinstance(value, Enum):
        return plain(value.value, place)
    if value is None or isinstance(value, PLAIN):
        return value
    if isinstance(value, Mapping):
        return {
            text(key, f"a key of {place}"): plain(item, f"{place}.{key}")
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(item, f"{place}.{index}") for index, item in enumerate(value)]
    return text(value, place)


def digits(value: str) -> str:
    """Return `value` with the decimal digits of every script converted to 0-9.

    Customers also type full-width and Arabic digits.
    """
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in value)


def _as_text(value: object, place: str) -> str:
    if isinstance(value, Enum):
        return _as_text(value.value, place)
    if isinstance(value, str):
        return str.__str__(value)  # a plain str, also for a SafeString
    if value is None:
        raise UnusableValue(f"{place} is None.")
    kind: type = type(value)
    has_text = isinstance(value, NUMBERS) or "__str__" in _names_of(kind)
    if isinstance(value, NOT_TEXT) or not has_text:
        raise UnusableValue(f"{place} is of type {kind.__name__}, which has no string form.")
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a shop's type may raise anything
        problem = type(error).__name__
    raise UnusableValue(f"{place}: str() of a {kind.__name__} failed ({problem}).")


def _names_of(kind: type) -> set[str]:
    """Return the attributes that `kind` and its bases define, without those of `object`."""
    return {name for base in kind.__mro__ if base is not object for name in vars(base)}


def _storable(value: str) -> str:
    return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# Telephone numbers: `+`, country code, digits (E.164).

# The longest number has fifteen digits (E.164).
INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
# A prefix or an extension around a number. XCover has no field for extensions.
AROUND = re.compile(r"(?i)^tel:|\s*(?:ext|extension|x)\.?\s*\d{1,7}$")
# The trunk digit that is omitted from abroad but often written: +44 (0)20 7946 0000.
TRUNK_DIGIT = re.compile(r"\(\s*0\s*\)")


def normalise_phone(number: object, country: str = "") -> str:
    """Return `number` in international format, or "" if it cannot be read.

    Numbers without a country code are read as numbers of `country` (ISO 3166-1 alpha-2), if the
    extra `django-xcover[phone]` is installed: its library knows the numbering plan of every
    country. Without it a number has to begin with `+` or `00`. Objects of phonenumbers and of
    django-phonenumber-field are accepted, too. Leave out an empty result: at XCover the phone is
    optional, and a bad one makes it refuse the whole booking.
    """
    if phonenumbers is not None and isinstance(number, phonenumbers.PhoneNumber):
        return _format_phone(number) or normalise_phone(number.raw_input or "", country)
    try:
        typed = optional_text(number, "phone")
    except UnusableValue:
        return ""
    # First full-width signs and spaces, then the digits of other scripts.
    typed = digits(unicodedata.normalize("NFKC", typed)).strip()
    typed = AROUND.sub("", typed)
    if any(char.isalpha() for char in typed):
        return ""  # the library would convert FLOWERS to the digits on those keys
    if typed.startswith("00"):
        typed = f"+{typed[2:]}"
    if typed.startswith("+"):
        typed = TRUNK_DIGIT.sub("", typed)
    return _parse_phone(typed, country) if phonenumbers is not None else _international(typed)


def _parse_phone(typed: str, country: str) -> str:
    try:
        number = phonenumbers.parse(typed, country.strip().upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    return _format_phone(number)


def _format_phone(number: Any) -> str:
    """Return the number in E.164, without an extension, or "" if no country could have it."""
    if not number.country_code or not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _international(typed: str) -> str:
    """Return a number that has a country code, else "", because its country is then unknown."""
    compact = re.sub(r"[\s().\-/\u2010-\u2015]", "", typed)
    return compact if INTERNATIONAL.fullmatch(compact) else ""


# Postcodes, in the usual format of their country.

# The two parts of a postcode, and the separator between them.
WRITTEN = {
    "CA": (re.compile(r"([A-Z]\d[A-Z])(\d[A-Z]\d)"), " "),
    "GB": (re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})"), " "),
    "GR": (re.compile(r"(\d{3})(\d{2})"), " "),
    "IE": (re.compile(r"([A-Z]\d[\dW])([A-Z\d]{4})"), " "),
    "JP": (re.compile(r"(\d{3})(\d{4})"), "-"),
    "NL": (re.compile(r"(\d{4})([A-Z]{2})"), " "),
    "PL": (re.compile(r"(\d{2})(\d{3})"), "-"),
    "PT": (re.compile(r"(\d{4})(\d{3})"), "-"),
    "SE": (re.compile(r"(\d{3})(\d{2})"), " "),
}
DASHES = re.compile(r"[\u2010-\u2015\u2212\u30fc]")
# Japan's postal mark is often typed before the number.
POSTAL_MARK = "\u3012"


def normalise_postcode(postcode: object, country: str = "") -> str:
    """Return `postcode` in capitals and ASCII digits, separated as usual in `country`.

    If it does not match the country's format, only spaces, digits, dashes and case are normalised.
    """
    typed = unicodedata.normalize("NFKC", optional_text(postcode, "postcode"))
    typed = DASHES.sub("-", digits(typed).replace(POSTAL_MARK, "")).upper()
    tidy = " ".join(typed.split())
    pattern, separator = WRITTEN.get(country.strip().upper(), (None, ""))
    parts = pattern.fullmatch(re.sub(r"[\s-]", "", tidy)) if pattern else None
    return separator.join(parts.groups()) if parts else tidy


# Countries in the form that XCover expects, ISO 3166-1 alpha-2 (Quotes API: data formats).

_COUNTRY_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRY_CODES = frozenset(_COUNTRY_CODES.split())
