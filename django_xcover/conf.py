"""Django's settings with a little logic: `XCOVER` as one frozen, checked value.

Read at call time and forgotten when the setting changes, so `override_settings` just works.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from functools import lru_cache
from math import inf
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

DEFAULT_ACCOUNT = "default"
# The part of OFFER_DEADLINE that XCover gets.
FOR_XCOVER = 0.95
# So many times OFFER_DEADLINE a late answer is waited for.
LATE = 3
# What a key may be made of: its header is taken apart at commas and quotes.
HEADER_SAFE = re.compile(r"[!#-+\--~]+")
SHA_2 = ("hmac-sha256", "hmac-sha384", "hmac-sha512")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set of XCover credentials. `repr` hides keys and secrets.

    `webhook_secrets` are pairs of key and secret, as agreed with XCover for its webhooks; without
    any none is taken. The setting may also be a dict of key to secret.

    The rates are calls a second (Quotes API: rate limits): `sales_rate` for quotes and bookings,
    `other_rate` for the rest, `total_rate`, when given, for all calls together in their place.
    """

    base_url: str
    partner_code: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    algorithm: str = "hmac-sha512"
    signed_headers: str = "date"
    webhook_secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    webhook_algorithms: tuple[str, ...] = SHA_2
    sales_rate: float = 50.0
    other_rate: float = 20.0
    total_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole `XCOVER` setting; each field is the upper-case key of the same name.

    Durations are seconds. `booking_deadline` follows the vendor's advice of 10 s or more for
    bookings, `retry_spacing` its 2 to 5 minutes between attempts, and `attempts` its five
    failures before a person is told (Quotes API: error management). `payment_days` is how long a
    pending booking may wait for its money before a person is told; XCover names no limit.
    `hold_lifetime` is how long a frozen premium waits for its order.
    `webhook_tolerance` is how far the date of a webhook may lie from now, both ways.

    `cache` names the Django cache by which all processes know what is said here of faults and
    rates. `breaker_faults` in a row stop calls at checkout for `breaker_cool_down`, doubled while
    XCover stays away up to `breaker_cool_down_limit`. `refusal_lifetime` is how long a cart that
    XCover has refused is not asked for again. `withdrawal_link_days` is how long a guest's link to
    withdraw works from the moment it is made: longer than any withdrawal period.

    A shopper waits `offer_deadline` for an offer; `offer_threads` of a web process quote meanwhile,
    0 to quote inside the request. One visitor gets `visitor_quotes` new quotes in ten minutes.

    `offer_instalments` says that the shop collects later instalments; only then are plans offered.

    `unordered_retention_days` is how long a package that was never ordered is kept, and
    `access_log_days` how long it is on record who opened personal data.

    The `alarm_` fields say when health stops being well: without a sweep, with an operation that no
    worker takes, without an offer while that many are lost, without a finished reconciliation,
    without a webhook while cover is booked, and with how many refused webhooks in a day.
    """

    adapter: str
    accounts: Mapping[str, Account]
    offer_deadline: float = 3.0
    offer_threads: int = 8
    visitor_quotes: int = 30
    offer_lifetime: float = 3600.0
    hold_lifetime: float = 1800.0
    booking_deadline: float = 15.0
    operation_lease: float = 120.0
    retry_spacing: float = 120.0
    attempts: int = 5
    payment_days: int = 14
    webhook_tolerance: float = 300.0
    webhook_max_bytes: int = 262_144
    webhook_retention_days: int = 90
    cache: str = "default"
    breaker_faults: int = 3
    breaker_cool_down: float = 10.0
    breaker_cool_down_limit: float = 120.0
    refusal_lifetime: float = 60.0
    withdrawal_link_days: int = 60
    offer_instalments: bool = False
    unordered_retention_days: int = 90
    access_log_days: int = 365
    alarm_sweep: float = 300.0
    alarm_operation: float = 900.0
    alarm_offers: float = 1800.0
    alarm_offers_lost: int = 3
    alarm_reconciliation: float = 21_600.0
    alarm_webhooks: float = 259_200.0
    alarm_webhooks_refused: int = 1

    def account(self, name: str) -> Account:
        """Return the credentials called `name`, or raise ImproperlyConfigured."""
        try:
            return self.accounts[name]
        except KeyError:
            known = ", ".join(sorted(self.accounts)) or "none"
            raise ImproperlyConfigured(
                f"XCOVER['ACCOUNTS'] has no account {name!r} (it has: {known})."
            ) from None

    @property
    def offer_call_deadline(self) -> float:
        """How long XCover's calls for one offer may take together, inside a request.

        Less than `offer_deadline`, which is what the shopper waits: noticing that the time is up
        and leaving takes 5 ms on an idle machine and 17 ms on a busy one.
        """
        return self.offer_deadline * FOR_XCOVER

    @property
    def hold_length(self) -> timedelta:
        """How long a frozen premium waits for its order before a person is alerted."""
        return timedelta(seconds=self.hold_lifetime)

    @property
    def late_answer_deadline(self) -> float:
        """How long XCover's calls may take in a thread, for which nobody waits.

        An answer behind `offer_deadline` is kept for the next look.
        """
        return self.offer_deadline * LATE

    @property
    def offer_max_age(self) -> timedelta:
        """How long a stored quote may be shown again before it is quoted anew."""
        return timedelta(seconds=self.offer_lifetime)


def get_config() -> Config:
    """Return the checked `XCOVER` setting; raise ImproperlyConfigured saying what to mend."""
    return _config()


@lru_cache(maxsize=1)
def _config() -> Config:
    raw = getattr(settings, "XCOVER", None)
    if not isinstance(raw, Mapping):
        raise ImproperlyConfigured("Set XCOVER to a dict with 'ADAPTER' and 'ACCOUNTS'.")
    values = _known(Config, raw, where="XCOVER")
    accounts = values.get("accounts")
    if not isinstance(accounts, Mapping) or not accounts:
        raise ImproperlyConfigured("Set XCOVER['ACCOUNTS'] to a dict with a 'default' account.")
    values["accounts"] = {name: _account(name, value) for name, value in accounts.items()}
    return _build(Config, values, where="XCOVER")


def _account(name: str, raw: Any) -> Account:
    where = f"XCOVER['ACCOUNTS'][{name!r}]"
    if not isinstance(raw, Mapping):
        raise ImproperlyConfigured(f"Set {where} to a dict with the account's credentials.")
    values = _known(Account, raw, where=where)
    return _build(
        Account, {key: _value(where, key, raw) for key, raw in values.items()}, where=where
    )


def _value(where: str, key: str, raw: Any) -> Any:
    read, rule = READERS.get(key, (_text, "a text, not empty"))
    try:
        return read(raw)
    except (TypeError, ValueError):
        # Without the cause: it would quote a secret.
        raise ImproperlyConfigured(f"{where}[{key.upper()!r}] must be {rule}.") from None


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise TypeError
    return raw


def _names(raw: Any) -> tuple[str, ...]:
    if isinstance(raw, str):
        raise TypeError
    return tuple(map(_text, raw))


def _pairs(raw: Any) -> tuple[tuple[str, str], ...]:
    """Return a dict, or a list of pairs, as pairs of key and secret; several may share a key."""
    pairs = tuple((key, _text(secret)) for key, secret in getattr(raw, "items", lambda: raw)())
    if not all(HEADER_SAFE.fullmatch(key) for key, _ in pairs):
        raise ValueError
    return pairs


def _rate(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 1 <= raw < inf:
        raise ValueError
    return float(raw)


def _rate_or_none(raw: Any) -> float | None:
    return None if raw is None else _rate(raw)


# How the values of an account are read that are no texts, and what they must be.
READERS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "webhook_secrets": (_pairs, "a dict of key to secret, or a list of such pairs"),
    "webhook_algorithms": (_names, "a list of names"),
    "sales_rate": (_rate, "a number of calls a second, 1 or more"),
    "other_rate": (_rate, "a number of calls a second, 1 or more"),
    "total_rate": (_rate_or_none, "a number of calls a second, 1 or more, or None"),
}


def _known(cls: type[Any], raw: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    names = {item.name.upper() for item in fields(cls)}
    unknown = sorted(set(raw) - names)
    if unknown:
        raise ImproperlyConfigured(
            f"{where} has unknown keys: {', '.join(unknown)}. Known: {', '.join(sorted(names))}."
        )
    return {key.lower(): value for key, value in raw.items()}


def _build(cls: type[T], values: dict[str, Any], *, where: str) -> T:
    required = {f.name for f in fields(cls) if f.default is MISSING}  # type: ignore[arg-type]
    missing = sorted(name.upper() for name in required - values.keys())
    if missing:
        raise ImproperlyConfigured(f"{where} lacks {', '.join(missing)}.")
    return cls(**values)


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "XCOVER":
        _config.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_xcover.conf")
