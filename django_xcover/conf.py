"""The `XCOVER` setting as one frozen, checked value.

It is read at call time and cached until the setting changes, so `override_settings` works.
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
# The part of OFFER_DEADLINE that calls to XCover may take.
FOR_XCOVER = 0.95
# A late answer is awaited for this multiple of OFFER_DEADLINE.
LATE = 3
# The characters allowed in a key, whose header is split at commas and quotes.
HEADER_SAFE = re.compile(r"[!#-+\--~]+")
SHA_2 = ("hmac-sha256", "hmac-sha384", "hmac-sha512")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set of XCover credentials. `repr` hides keys and secrets.

    `webhook_secrets` are the pairs of key and secret agreed with XCover for its webhooks. Without
    any, the account accepts no webhooks. The setting may also be a dict of keys to secrets.

    Rates are calls per second (Quotes API: rate limits): `sales_rate` for quotes and bookings,
    `other_rate` for the rest. If `total_rate` is given, it replaces both and limits all calls
    together.
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
    """The whole `XCOVER` setting. Each field is the upper-case key of the same name.

    Durations are in seconds. `booking_deadline` follows the vendor's advice of 10 s or more for
    bookings, `retry_spacing` its 2 to 5 minutes between attempts, and `attempts` its five
    failures before a person is alerted (Quotes API: error management). `payment_days` is how long a
    pending booking may wait for its payment before a person is alerted; XCover sets no limit.
    `hold_lifetime` is how long a frozen premium waits for its order. `webhook_tolerance` is how far
    the date of a webhook may differ from now, in both directions.

    `cache` names the Django cache in which all processes share faults and rates. After
    `breaker_faults` in a row calls at checkout stop for `breaker_cool_down`, which doubles up to
    `breaker_cool_down_limit` while XCover stays down. `refusal_lifetime` is how long a cart that
    XCover has refused is not quoted again. `withdrawal_link_days` is how long a guest's link to
    withdraw works after it was created; it exceeds every withdrawal period.

    `runner` is what runs the tasks: "celery", "django_tasks" (Django 6.0 or newer) or "command"
    (`manage.py xcover_work`).

    A shopper waits `offer_deadline` for an offer. Each web process quotes in `offer_threads`
    threads, or inside the request if this is 0. A visitor gets `visitor_quotes` new quotes in ten
    minutes.

    `offer_look` is how the offer looks: "card", "plain" or "compact". `offer_words` replaces its
    words: a dict of policy types to dicts of `django_xcover.offers.words.Words`.

    `elements_script` is the URL of XCover's own element (XCover Elements), for the tag
    `xcover_element`. Without it, the tag shows this package's offer.

    `after_sale_days` is for how many days after an order its page offers cover that was declined or
    not answered; 0 turns this off.

    `offer_instalments` is True if the shop collects later instalments. Only then are plans offered.

    `unordered_retention_days` is how long a package without an order is kept, `access_log_days` how
    long records of access to personal data are kept.

    The `alarm_` fields set when health raises an alarm: the time without a sweep, the time that a
    due operation waits for a worker, the time without an offer and the number of lost ones, the
    time without a finished reconciliation, the time without a webhook while cover is booked, and
    the number of refused webhooks in a day.
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
    runner: str = "celery"
    breaker_faults: int = 3
    breaker_cool_down: float = 10.0
    breaker_cool_down_limit: float = 120.0
    refusal_lifetime: float = 60.0
    withdrawal_link_days: int = 60
    offer_look: str = "card"
    offer_words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    offer_instalments: bool = False
    elements_script: str = ""
    after_sale_days: int = 0
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
        """Return the account named `name`. Raise ImproperlyConfigured if there is none."""
        try:
            return self.accounts[name]
        except KeyError:
            known = ", ".join(sorted(self.accounts)) or "none"
            raise ImproperlyConfigured(
                f"XCOVER['ACCOUNTS'] has no account {name!r}. Known accounts: {known}."
            ) from None

    @property
    def offer_call_deadline(self) -> float:
        """Seconds that all calls to XCover for one offer may take inside a request.

        Less than `offer_deadline`, the time the shopper waits, because detecting the timeout and
        returning takes 5 ms on an idle machine and 17 ms on a busy one.
        """
        return self.offer_deadline * FOR_XCOVER

    @property
    def hold_length(self) -> timedelta:
        """Time that a frozen premium waits for its order before a person is alerted."""
        return timedelta(seconds=self.hold_lifetime)

    @property
    def late_answer_deadline(self) -> float:
        """Seconds that calls to XCover may take in a background thread.

        An answer after `offer_deadline` is stored and shown with the next request.
        """
        return self.offer_deadline * LATE

    @property
    def offer_max_age(self) -> timedelta:
        """Age up to which a stored quote may be shown before it is quoted again."""
        return timedelta(seconds=self.offer_lifetime)


def get_config() -> Config:
    """Return the checked `XCOVER` setting. Raise ImproperlyConfigured with the way to fix it."""
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
    read, rule = READERS.get(key, (_text, "a non-empty string"))
    try:
        return read(raw)
    except (TypeError, ValueError):
        # `from None`, because the cause could quote a secret.
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
    """Return a dict or a list of pairs as pairs of key and secret. Several may share a key."""
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


# How to read the values of an account that are not plain strings, and how to describe them.
READERS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "webhook_secrets": (_pairs, "a dict of keys to secrets, or a list of such pairs"),
    "webhook_algorithms": (_names, "a list of names"),
    "sales_rate": (_rate, "a number of calls per second, 1 or more"),
    "other_rate": (_rate, "a number of calls per second, 1 or more"),
    "total_rate": (_rate_or_none, "a number of calls per second, 1 or more, or None"),
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
    required = {
        f.name
        for f in fields(cls)  # type: ignore[arg-type]
        if f.default is MISSING and f.default_factory is MISSING
    }
    missing = sorted(name.upper() for name in required - values.keys())
    if missing:
        raise ImproperlyConfigured(f"{where} is missing {', '.join(missing)}.")
    return cls(**values)


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "XCOVER":
        _config.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_xcover.conf")
