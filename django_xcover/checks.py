"""System checks for `XCOVER`. None of them calls XCover.

W004, W005 and those from W020 are what `xcover_status` says. They look into the database, so they
run with `check --database default` and `migrate`.

E001  the setting cannot be read (missing, unknown or empty keys)
E002  the adapter cannot be imported or is no ShopAdapter
E003  a base URL is not an http(s) address
E004  credentials would travel in clear text
E005  an unknown signature algorithm
E006  unknown signed headers
E007  a duration or a count that is not a positive number, or a lease over an hour
E008  an unknown algorithm for webhooks
E009  a cache that `CACHES` does not have
E010  a name of an account that no column and no URL takes
E011  credentials that no call can be made with
E012  settings of Django's with which nothing can be stored or told to a worker
W001  a deadline for offers that does not fit XCover's speed
W002  webhooks that may be very old
W003  a webhook secret that can be guessed
W004  a paused account
W005  something that waits for a person
W006  a lease that is shorter than an attempt may take
W007  instalments that are offered and that nobody collects
W011  addresses that are not mounted
W020  no sweep of the worker
W021  operations that no worker takes
W022  credentials that XCover refuses
W023  offers that are lost
W024  an XCover that does not answer
W025  a pause that XCover has asked for
W026  bookings that are not compared with XCover's
W027  webhooks that do not come
W028  webhooks that are refused
W029  premiums that were held, and no order came
W030  orders that could not be settled
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import inf
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, DatabaseError
from django.urls import NoReverseMatch, reverse

from django_xcover.adapters import ShopAdapter, get_adapter
from django_xcover.client import ConfigurationError, XCoverClient
from django_xcover.client.auth import ALGORITHMS, SIGNED_HEADERS
from django_xcover.client.http import is_this_machine
from django_xcover.conf import DEFAULT_ACCOUNT, Account, Config, get_config
from django_xcover.models.base import LONGEST_LEASE
from django_xcover.support.health import health
from django_xcover.tracebacks import clears_frames

DURATIONS = (
    "offer_deadline",
    "offer_lifetime",
    "hold_lifetime",
    "booking_deadline",
    "operation_lease",
    "retry_spacing",
    "payment_days",
    "webhook_tolerance",
    "webhook_retention_days",
    "breaker_cool_down",
    "breaker_cool_down_limit",
    "refusal_lifetime",
    "unordered_retention_days",
    "access_log_days",
    "alarm_sweep",
    "alarm_operation",
    "alarm_offers",
    "alarm_reconciliation",
    "alarm_webhooks",
)
# Read so many bytes, remember so many calls: a float of them is an error when it comes to it.
COUNTS = (
    "attempts",
    "webhook_max_bytes",
    "breaker_faults",
    "visitor_quotes",
    "alarm_offers_lost",
    "alarm_webhooks_refused",
)
# One for each subject of health.
HEALTH_IDS = {
    "pause": "xcover.W004",
    "people": "xcover.W005",
    "holds": "xcover.W029",
    "orders": "xcover.W030",
    "workers": "xcover.W020",
    "operations": "xcover.W021",
    "credentials": "xcover.W022",
    "offers": "xcover.W023",
    "circuit": "xcover.W024",
    "rate": "xcover.W025",
    "reconciliation": "xcover.W026",
    "webhooks": "xcover.W027",
    "refused_webhooks": "xcover.W028",
}
# As the columns have it.
LONGEST_NAME = 50
# Recorded answers took 351 to 2,815 ms.
SHORTEST_WAIT, LONGEST_WAIT = 1.5, 5.0
LONGEST_TOLERANCE = 900.0
SHORTEST_SECRET = 16
# The most that an attempt reads besides the one call that books, changes or cancels: four answers
# within the client's own deadline of 8 s each.
READING = 32.0


@clears_frames
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Return everything wrong with `XCOVER`, each with the way to mend it."""
    try:
        config = get_config()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="xcover.E001")]
    messages = [*_check_adapter(), *_check_numbers(config), *_check_cache(config)]
    messages += [*_check_names(config), *_check_django(), *_check_addresses()]
    messages += [*_check_instalments(config)]
    for name, account in config.accounts.items():
        where = f"XCOVER['ACCOUNTS'][{name!r}]"
        messages += [*_check_account(where, account), *_check_webhooks(where, account)]
    return messages


@clears_frames
def check_health(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Return what is not well, as `xcover_status` and the admin's page say it."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        problems = list(health().problems())
    except (DatabaseError, ImproperlyConfigured):
        return []  # before the first `migrate` there is nothing to look into
    hint = "The admin's page of how everything stands says more. manage.py xcover_status"
    return [Warning(one.sentence, hint=hint, id=HEALTH_IDS[one.name]) for one in problems]


def _check_django() -> Iterator[CheckMessage]:
    if not settings.USE_TZ:
        hint = "Set USE_TZ = True: XCover's times have a zone, and a wrong hour is a wrong cover."
        yield Error("USE_TZ is False.", hint=hint, id="xcover.E012")
    if not settings.DATABASES.get(DEFAULT_DB_ALIAS, {}).get("AUTOCOMMIT", True):
        hint = "Leave AUTOCOMMIT out: a worker commits its claim before it calls XCover."
        yield Error("The database 'default' has AUTOCOMMIT off.", hint=hint, id="xcover.E012")


def _check_addresses() -> Iterator[CheckMessage]:
    # A warning, because a shop may choose its URLconf by host, or sell over the API alone.
    for name in ("xcover:offer", "xcover_api:offer"):
        with suppress(NoReverseMatch):
            reverse(name)
            return
    hint = 'Add path("xcover/", include("django_xcover.urls")) to the root URLconf.'
    yield Warning("The addresses of the offer are not mounted.", hint=hint, id="xcover.W011")


def _check_instalments(config: Config) -> Iterator[CheckMessage]:
    value: object = config.offer_instalments
    if not isinstance(value, bool):
        message = "XCOVER['OFFER_INSTALMENTS'] is neither True nor False."
        yield Error(message, hint="Use True or False.", id="xcover.E007")
    elif value and not _can_collect():
        yield Warning(
            "XCOVER['OFFER_INSTALMENTS'] is True, and the adapter has no get_payment_url.",
            hint="Add the page on which later instalments are paid, or leave the setting out.",
            id="xcover.W007",
        )


def _can_collect() -> bool:
    try:
        adapter = type(get_adapter())
    except ImproperlyConfigured:
        return True  # E002 says so
    return adapter.get_payment_url is not ShopAdapter.get_payment_url


def _check_lease(config: Config) -> Iterator[CheckMessage]:
    longest = config.booking_deadline + READING
    if config.operation_lease > LONGEST_LEASE.total_seconds():
        yield Error(
            f"XCOVER['OPERATION_LEASE'] is {config.operation_lease} s.",
            hint="Use an hour at most: a longer one counts as written by a wrong clock.",
            id="xcover.E007",
        )
    if config.operation_lease < longest:
        yield Warning(
            f"XCOVER['OPERATION_LEASE'] is {config.operation_lease} s, and an attempt may take "
            f"{longest:.0f} s.",
            hint="A second worker would step in, and the first one's outcome be thrown away.",
            id="xcover.W006",
        )


def _check_adapter() -> Iterator[CheckMessage]:
    try:
        get_adapter()
    except ImproperlyConfigured as error:
        hint = "Name your subclass of django_xcover.adapters.ShopAdapter by its dotted path."
        yield Error(str(error), hint=hint, id="xcover.E002")


def _check_cache(config: Config) -> Iterator[CheckMessage]:
    if config.cache not in settings.CACHES:
        hint = f"CACHES has: {', '.join(sorted(settings.CACHES)) or 'none'}."
        yield Error(f"XCOVER['CACHE'] is {config.cache!r}.", hint=hint, id="xcover.E009")


def _check_names(config: Config) -> Iterator[CheckMessage]:
    folded = Counter(str(name).casefold() for name in config.accounts)
    for name in config.accounts:
        usable = isinstance(name, str) and name.strip() == name and "/" not in name
        # MySQL and MariaDB hold two names that differ in case for one.
        is_one = folded[str(name).casefold()] == 1 or name == DEFAULT_ACCOUNT
        if not usable or not is_one or not 0 < len(name) <= LONGEST_NAME:
            hint = f"Use a text of 1 to {LONGEST_NAME} characters without a slash and without "
            hint += "blanks at its ends, that differs from the others not in case alone."
            yield Error(f"XCOVER['ACCOUNTS'] has {name!r}.", hint=hint, id="xcover.E010")


def _check_account(where: str, account: Account) -> Iterator[CheckMessage]:
    found = [*_check_parts(where, account)]
    yield from found or _check_client(where, account)


def _check_client(where: str, account: Account) -> Iterator[CheckMessage]:
    """Report what the client refuses to work with: without this, at the first checkout."""
    try:
        XCoverClient(
            base_url=account.base_url,
            partner_code=account.partner_code,
            api_key=account.api_key,
            api_secret=account.api_secret,
        ).close()
    except ConfigurationError as error:
        hint = "Compare BASE_URL, PARTNER_CODE and API_KEY with what XCover gave you."
        yield Error(f"{where}: {error.args[0]}.", hint=hint, id="xcover.E011")


def _check_parts(where: str, account: Account) -> Iterator[CheckMessage]:
    yield from _check_base_url(where, account.base_url)
    if account.algorithm not in ALGORITHMS:
        hint = f"Use one of: {', '.join(ALGORITHMS)}."
        yield Error(f"{where}['ALGORITHM'] is {account.algorithm!r}.", hint=hint, id="xcover.E005")
    if account.signed_headers not in SIGNED_HEADERS:
        hint = f"Use one of: {', '.join(SIGNED_HEADERS)}."
        message = f"{where}['SIGNED_HEADERS'] is {account.signed_headers!r}."
        yield Error(message, hint=hint, id="xcover.E006")


def _check_webhooks(where: str, account: Account) -> Iterator[CheckMessage]:
    # An account without secrets takes no webhooks, which is a choice and no mistake.
    unknown = sorted(set(account.webhook_algorithms) - set(ALGORITHMS))
    if unknown or not account.webhook_algorithms:
        hint = f"Use some of: {', '.join(ALGORITHMS)}. Leave it out for all but hmac-sha1."
        message = f"{where}['WEBHOOK_ALGORITHMS'] has {', '.join(unknown) or 'nothing'}."
        yield Error(message, hint=hint, id="xcover.E008")
    if any(len(secret) < SHORTEST_SECRET for _, secret in account.webhook_secrets):
        hint = "Agree with XCover on a random one: python -c 'import secrets; "
        hint += "print(secrets.token_urlsafe(32))'"
        message = f"{where}['WEBHOOK_SECRETS'] has a secret under {SHORTEST_SECRET} characters."
        yield Warning(message, hint=hint, id="xcover.W003")


def _check_base_url(where: str, base_url: str) -> Iterator[CheckMessage]:
    try:
        parts = urlsplit(base_url)
    except ValueError:  # brackets around what is no address
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        hint = "Production is https://api.xcover.com/x."
        yield Error(f"{where}['BASE_URL'] is no http(s) address.", hint=hint, id="xcover.E003")
    elif parts.scheme == "http" and not is_this_machine(parts.hostname):
        message = f"{where}['BASE_URL'] would send personal data in clear text."
        yield Error(message, hint="Use https.", id="xcover.E004")


def _check_numbers(config: Config) -> Iterator[CheckMessage]:
    kinds = dict.fromkeys(DURATIONS, (int | float, "number")) | dict.fromkeys(
        COUNTS, (int, "whole number")
    )
    for name, (kind, called) in kinds.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, kind) or not 0 < value < inf:
            message = f"XCOVER[{name.upper()!r}] must be a positive {called}, not {value!r}."
            yield Error(message, id="xcover.E007")
            return
    threads = config.offer_threads
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        message = f"XCOVER['OFFER_THREADS'] must be a whole number or 0, not {threads!r}."
        yield Error(message, id="xcover.E007")
        return
    yield from _check_lease(config)
    if not SHORTEST_WAIT <= config.offer_deadline <= LONGEST_WAIT:
        yield Warning(
            f"XCOVER['OFFER_DEADLINE'] is {config.offer_deadline} s.",
            hint="XCover takes up to 2.8 s to answer, the median is 0.9 s. Under 1.5 s offers are "
            "lost, over 5 s a shopper waits for one that does not come. 3.0 is the default.",
            id="xcover.W001",
        )
    if config.webhook_tolerance > LONGEST_TOLERANCE:
        yield Warning(
            f"XCOVER['WEBHOOK_TOLERANCE'] is {config.webhook_tolerance} s.",
            hint="Headers that leaked can be sent again for as long. 300 is the default.",
            id="xcover.W002",
        )
