"""System checks for `XCOVER`. None of them calls XCover.

W004, W005 and all from W020 on report the same as `xcover_status`. They read the database, so they
run with `check --database default` and `migrate`.

E001  the setting is invalid (missing, unknown or empty keys)
E002  the adapter cannot be imported or is not a ShopAdapter
E003  a base URL is not an http(s) URL
E004  credentials would be sent in clear text
E005  an unknown signature algorithm
E006  unknown signed headers
E007  a duration or count is not a positive number, or the lease exceeds an hour
E008  an unknown algorithm for webhooks
E009  a cache that is not in `CACHES`
E010  an account name that is unusable in a column or a URL
E011  credentials that the client refuses
E012  Django settings with which bookings cannot be stored or handed to a worker
E013  an unknown look of the offer, or words that it can't show
E014  the script of XCover Elements is not an https URL
E015  an unknown runner, or one that this Django doesn't have
W001  an offer deadline that does not fit XCover's response times
W002  a webhook tolerance that accepts very old webhooks
W003  a webhook secret that can be guessed
W004  a paused account
W005  something is waiting for a person
W006  a lease that is shorter than an attempt may take
W007  instalments are offered, but cannot be collected
W008  the content security policy blocks the script of XCover Elements
W009  cover is offered after the sale, but cannot be paid
W010  tasks run inside the shopper's request (with `check --deploy` only)
W011  the URLs are not included
W020  no recent sweep
W021  operations are due, but no worker runs them
W022  XCover refuses the credentials
W023  offers are lost
W024  XCover does not answer
W025  XCover has asked for a pause
W026  bookings are not reconciled
W027  no webhooks arrive
W028  webhooks are refused
W029  a premium was held, but no order came
W030  orders that could not be settled
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from math import inf
from typing import Any
from urllib.parse import SplitResult, urlsplit

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
from django_xcover.offers import words
from django_xcover.outbox import runners
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
# Numbers of things, for which a float would raise an exception only later.
COUNTS = (
    "attempts",
    "webhook_max_bytes",
    "breaker_faults",
    "visitor_quotes",
    "alarm_offers_lost",
    "alarm_webhooks_refused",
)
# The check id of each health subject.
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
# The length of the columns.
LONGEST_NAME = 50
# Recorded responses took 351 to 2,815 ms.
SHORTEST_WAIT, LONGEST_WAIT = 1.5, 5.0
LONGEST_TOLERANCE = 900.0
SHORTEST_SECRET = 16
# The longest time that an attempt spends on reads, besides the one call that books, changes or
# cancels: four reads within the client's default deadline of 8 s each.
READING = 32.0


@clears_frames
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Return the errors and warnings about `XCOVER`, each with a hint how to fix it."""
    try:
        config = get_config()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="xcover.E001")]
    messages = [*_check_adapter(), *_check_numbers(config), *_check_cache(config)]
    messages += [*_check_names(config), *_check_django(), *_check_addresses()]
    messages += [*_check_instalments(config), *_check_offer(config)]
    messages += [*_check_elements(config), *_check_after_sale(config), *_check_runner(config)]
    for name, account in config.accounts.items():
        where = f"XCOVER['ACCOUNTS'][{name!r}]"
        wrong = [*_check_parts(where, account)]
        messages += wrong or _check_client(where, account)
        messages += _check_webhooks(where, account)
    return messages


@clears_frames
def check_health(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Return the problems that `xcover_status` and the admin's health page report, as warnings."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        problems = list(health().problems())
    except (DatabaseError, ImproperlyConfigured):
        return []  # before the first `migrate` there are no tables
    hint = "For details, see “System health” in the admin or run manage.py xcover_status."
    return [
        Warning(problem.sentence, hint=hint, id=HEALTH_IDS[problem.name]) for problem in problems
    ]


@clears_frames
def check_deployment(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Return a warning if tasks run at once; tests want that, a shop in production doesn't."""
    try:
        is_wrong = get_config().runner in runners.RUNNERS and runners.runs_at_once()
    except (ImproperlyConfigured, ImportError):
        return []  # E001 and E015 report it
    if not is_wrong:
        return []
    hint = "Remove CELERY_TASK_ALWAYS_EAGER, or choose a backend in TASKS that has workers. "
    hint += "Without a broker, set XCOVER['RUNNER'] = 'command' and run manage.py xcover_work."
    message = "Tasks run inside the shopper's request: the checkout waits while XCover books."
    return [Warning(message, hint=hint, id="xcover.W010")]


def _check_runner(config: Config) -> Iterator[CheckMessage]:
    if config.runner not in runners.RUNNERS:
        names = ", ".join(runners.RUNNERS)
        message = f"XCOVER['RUNNER'] must be one of {names}, not {config.runner!r}."
        yield Error(message, id="xcover.E015")
    elif config.runner == runners.DJANGO_TASKS and find_spec("django.tasks") is None:
        hint = "Upgrade to Django 6.0, or use 'celery' or 'command'."
        message = "XCOVER['RUNNER'] is 'django_tasks', which this version of Django doesn't have."
        yield Error(message, hint=hint, id="xcover.E015")


def _check_django() -> Iterator[CheckMessage]:
    if not settings.USE_TZ:
        hint = "Set USE_TZ = True. XCover's times have a time zone, and cover depends on the hour."
        yield Error("USE_TZ is False.", hint=hint, id="xcover.E012")
    if not settings.DATABASES.get(DEFAULT_DB_ALIAS, {}).get("AUTOCOMMIT", True):
        hint = "Remove AUTOCOMMIT. A worker must commit its claim before it calls XCover."
        yield Error("AUTOCOMMIT is off for the database 'default'.", hint=hint, id="xcover.E012")


def _check_addresses() -> Iterator[CheckMessage]:
    # Only a warning, because a shop may select its URLconf by host.
    for name in ("xcover:offer", "xcover_api:offer"):
        with suppress(NoReverseMatch):
            reverse(name)
            return
    hint = 'Add path("xcover/", include("django_xcover.urls")) to the root URLconf.'
    yield Warning("The URLs of the offer are not included.", hint=hint, id="xcover.W011")


def _check_offer(config: Config) -> Iterator[CheckMessage]:
    if config.offer_look not in words.LOOKS:
        names = ", ".join(words.LOOKS)
        message = f"XCOVER['OFFER_LOOK'] must be one of {names}, not {config.offer_look!r}."
        yield Error(message, id="xcover.E013")
    try:
        words.refuse_unusable(config.offer_words)
    except ImproperlyConfigured as error:
        yield Error(str(error), id="xcover.E013")


def _check_elements(config: Config) -> Iterator[CheckMessage]:
    script: object = config.elements_script
    if not script:
        return
    parts = urlsplit(script) if isinstance(script, str) else urlsplit("")
    is_safe = parts.scheme == "https" or is_this_machine(parts.hostname or "")
    if not parts.hostname or not is_safe:
        message = f"XCOVER['ELEMENTS_SCRIPT'] must be an https URL, not {script!r}."
        yield Error(message, hint="XCover tells you the address.", id="xcover.E014")
        return
    sources = _script_sources()
    if sources and not any(_allows(source, parts) for source in sources):
        yield Warning(
            f"The content security policy blocks {parts.scheme}://{parts.netloc}, the host of "
            "XCOVER['ELEMENTS_SCRIPT'].",
            hint="Add it to script-src and connect-src. Until then shoppers see this package's "
            "offer.",
            id="xcover.W008",
        )


def _script_sources() -> list[str]:
    """Return the allowed sources of scripts, as far as Django or django-csp set them; else []."""
    policies = [
        getattr(settings, "SECURE_CSP", None),
        (getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}).get("DIRECTIVES"),
    ]
    for policy in policies:
        sources = (policy or {}).get("script-src") or (policy or {}).get("default-src")
        if sources:
            return [str(source) for source in sources]
    return []


def _allows(source: str, script: SplitResult) -> bool:
    if source in {"*", "'strict-dynamic'", f"{script.scheme}:"}:
        return True
    host = source.rpartition("://")[2].partition("/")[0]
    if host.startswith("*."):
        return (script.hostname or "").endswith(host[1:])
    return host in {script.netloc, script.hostname}


def _check_instalments(config: Config) -> Iterator[CheckMessage]:
    value: object = config.offer_instalments
    if not isinstance(value, bool):
        message = f"XCOVER['OFFER_INSTALMENTS'] must be True or False, not {value!r}."
        yield Error(message, id="xcover.E007")
    elif value and not _can_collect():
        yield Warning(
            "XCOVER['OFFER_INSTALMENTS'] is True, but the adapter has no get_payment_url.",
            hint="Add the method, so that later instalments can be paid, or remove the setting.",
            id="xcover.W007",
        )


def _check_after_sale(config: Config) -> Iterator[CheckMessage]:
    days: object = config.after_sale_days
    # Cancelled orders are recognised by their events, which are deleted after that time.
    longest = config.unordered_retention_days
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days < longest:
        message = f"XCOVER['AFTER_SALE_DAYS'] must be a whole number of days, not {days!r}."
        hint = "Use 0 for no offers after the sale, and less than UNORDERED_RETENTION_DAYS."
        yield Error(message, hint=hint, id="xcover.E007")
    elif days and not _can_collect():
        yield Warning(
            "XCOVER['AFTER_SALE_DAYS'] is set, but the adapter has no get_payment_url.",
            hint="Add the method, so that cover added after the sale can be paid, or remove the "
            "setting.",
            id="xcover.W009",
        )


def _can_collect() -> bool:
    try:
        adapter = type(get_adapter())
    except ImproperlyConfigured:
        return True  # E002 reports it
    return adapter.get_payment_url is not ShopAdapter.get_payment_url


def _check_lease(config: Config) -> Iterator[CheckMessage]:
    longest = config.booking_deadline + READING
    if config.operation_lease > LONGEST_LEASE.total_seconds():
        yield Error(
            f"XCOVER['OPERATION_LEASE'] is {config.operation_lease} s.",
            hint="Use 3600 at most. A longer lease is taken for one written by a wrong clock.",
            id="xcover.E007",
        )
    if config.operation_lease < longest:
        yield Warning(
            f"XCOVER['OPERATION_LEASE'] is {config.operation_lease} s, but an attempt may take "
            f"{longest:.0f} s.",
            hint="Increase it. Otherwise a second worker takes over, and the first one's result is "
            "discarded.",
            id="xcover.W006",
        )


def _check_adapter() -> Iterator[CheckMessage]:
    try:
        get_adapter()
    except ImproperlyConfigured as error:
        hint = "Set it to the dotted path of your subclass of django_xcover.adapters.ShopAdapter."
        yield Error(str(error), hint=hint, id="xcover.E002")


def _check_cache(config: Config) -> Iterator[CheckMessage]:
    if config.cache not in settings.CACHES:
        hint = f"Use one of: {', '.join(sorted(settings.CACHES)) or 'none'}."
        message = f"XCOVER['CACHE'] is {config.cache!r}, which is not in CACHES."
        yield Error(message, hint=hint, id="xcover.E009")


def _check_names(config: Config) -> Iterator[CheckMessage]:
    folded = Counter(str(name).casefold() for name in config.accounts)
    for name in config.accounts:
        usable = isinstance(name, str) and name.strip() == name and "/" not in name
        # On MySQL and MariaDB two names that differ only in case are equal.
        is_unique = folded[str(name).casefold()] == 1 or name == DEFAULT_ACCOUNT
        if not usable or not is_unique or not 0 < len(name) <= LONGEST_NAME:
            hint = f"Use a string of 1 to {LONGEST_NAME} characters without slashes and without "
            hint += "leading or trailing spaces. Names must not differ in case alone."
            message = f"XCOVER['ACCOUNTS'] has the invalid name {name!r}."
            yield Error(message, hint=hint, id="xcover.E010")


def _check_client(where: str, account: Account) -> Iterator[CheckMessage]:
    """Report credentials that the client refuses, which would else show at the first checkout."""
    try:
        XCoverClient(
            base_url=account.base_url,
            partner_code=account.partner_code,
            api_key=account.api_key,
            api_secret=account.api_secret,
        ).close()
    except ConfigurationError as error:
        hint = "Compare BASE_URL, PARTNER_CODE and API_KEY with the values from XCover."
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
    # An account without secrets accepts no webhooks, which is a valid choice.
    unknown = sorted(set(account.webhook_algorithms) - set(ALGORITHMS))
    if unknown or not account.webhook_algorithms:
        hint = f"Use one or more of: {', '.join(ALGORITHMS)}. The default is all but hmac-sha1."
        message = f"{where}['WEBHOOK_ALGORITHMS'] has {', '.join(unknown) or 'nothing'}."
        yield Error(message, hint=hint, id="xcover.E008")
    if any(len(secret) < SHORTEST_SECRET for _, secret in account.webhook_secrets):
        hint = "Agree with XCover on a random one: python -c 'import secrets; "
        hint += "print(secrets.token_urlsafe(32))'"
        message = f"{where}['WEBHOOK_SECRETS'] has a secret of fewer than {SHORTEST_SECRET} "
        message += "characters."
        yield Warning(message, hint=hint, id="xcover.W003")


def _check_base_url(where: str, base_url: str) -> Iterator[CheckMessage]:
    try:
        parts = urlsplit(base_url)
    except ValueError:  # brackets around something that is not an IP address
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        hint = "The URL for production is https://api.xcover.com/x."
        yield Error(f"{where}['BASE_URL'] is not an http(s) URL.", hint=hint, id="xcover.E003")
    elif parts.scheme == "http" and not is_this_machine(parts.hostname):
        message = f"{where}['BASE_URL'] would send personal data in clear text."
        yield Error(message, hint="Use https.", id="xcover.E004")


def _check_numbers(config: Config) -> Iterator[CheckMessage]:
    kinds = dict.fromkeys(DURATIONS, (int | float, "number")) | dict.fromkeys(
        COUNTS, (int, "whole number")
    )
    for name, (kind, description) in kinds.items():
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, kind) or not 0 < value < inf:
            message = f"XCOVER[{name.upper()!r}] must be a positive {description}, not {value!r}."
            yield Error(message, id="xcover.E007")
            return
    threads = config.offer_threads
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        message = f"XCOVER['OFFER_THREADS'] must be 0 or a positive whole number, not {threads!r}."
        yield Error(message, id="xcover.E007")
        return
    yield from _check_lease(config)
    if not SHORTEST_WAIT <= config.offer_deadline <= LONGEST_WAIT:
        yield Warning(
            f"XCOVER['OFFER_DEADLINE'] is {config.offer_deadline} s.",
            hint="XCover takes 0.9 s to answer (median) and up to 2.8 s. Below 1.5 s offers are "
            "lost; above 5 s shoppers wait for offers that never come. The default is 3.0.",
            id="xcover.W001",
        )
    if config.webhook_tolerance > LONGEST_TOLERANCE:
        yield Warning(
            f"XCOVER['WEBHOOK_TOLERANCE'] is {config.webhook_tolerance} s.",
            hint="Leaked headers can be replayed for that long. The default is 300.",
            id="xcover.W002",
        )
