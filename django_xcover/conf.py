"""Django's settings with a little logic: `XCOVER` as one frozen, checked value.

Read at call time and forgotten when the setting changes, so `override_settings` just works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

DEFAULT_ACCOUNT = "default"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set of XCover credentials. `repr` hides the key and the secret."""

    base_url: str
    partner_code: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    algorithm: str = "hmac-sha512"
    signed_headers: str = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole `XCOVER` setting; each field is the upper-case key of the same name.

    Durations are seconds. `booking_deadline` follows the vendor's advice of 10 s or more for
    bookings, `retry_spacing` its 2 to 5 minutes between attempts, and `attempts` its five
    failures before a person is told (Quotes API: error management). `payment_days` is how long a
    pending booking may wait for its money before a person is told; XCover names no limit.
    """

    adapter: str
    accounts: Mapping[str, Account]
    offer_deadline: float = 1.0
    offer_lifetime: float = 3600.0
    booking_deadline: float = 15.0
    operation_lease: float = 120.0
    retry_spacing: float = 120.0
    attempts: int = 5
    payment_days: int = 14

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
    for key, value in values.items():
        if not isinstance(value, str) or not value:
            raise ImproperlyConfigured(f"{where}[{key.upper()!r}] must be a text, not empty.")
    return _build(Account, values, where=where)


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
