"""What `manage.py check` says about XCOVER."""

from __future__ import annotations

from typing import Any

import django
import pytest
from celery import current_app

from django_xcover.checks import check_deployment, check_settings
from tests.test_conf import ACCOUNT, GOOD


def ids() -> list[str | None]:
    return [message.id for message in check_settings()]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ACCOUNTS": None}, "xcover.E001"),
        ({"ADAPTER": "no.such.Adapter"}, "xcover.E002"),
        ({"ADAPTER": "decimal.Decimal"}, "xcover.E002"),
        ({"OFFER_DEADLINE": 0}, "xcover.E007"),
        ({"OFFER_DEADLINE": "1"}, "xcover.E007"),
        ({"ATTEMPTS": True}, "xcover.E007"),
        ({"WEBHOOK_TOLERANCE": 0}, "xcover.E007"),
        ({"WEBHOOK_TOLERANCE": None}, "xcover.E007"),
        ({"WEBHOOK_MAX_BYTES": -1}, "xcover.E007"),
        ({"WEBHOOK_MAX_BYTES": 1e6}, "xcover.E007"),
        ({"ATTEMPTS": 2.5}, "xcover.E007"),
        ({"BREAKER_FAULTS": 30.0}, "xcover.E007"),
        ({"OPERATION_LEASE": 3601}, "xcover.E007"),
        ({"OFFER_LIFETIME": float("inf")}, "xcover.E007"),
        ({"WEBHOOK_TOLERANCE": float("nan")}, "xcover.E007"),
        ({"BREAKER_FAULTS": 0}, "xcover.E007"),
        ({"BREAKER_COOL_DOWN": "10"}, "xcover.E007"),
        ({"REFUSAL_LIFETIME": 0}, "xcover.E007"),
        ({"CACHE": "nowhere"}, "xcover.E009"),
        ({"ELEMENTS_SCRIPT": "http://cdn.example/xce.js"}, "xcover.E014"),
        ({"ELEMENTS_SCRIPT": "/static/xce.js"}, "xcover.E014"),
        ({"ELEMENTS_SCRIPT": 7}, "xcover.E014"),
        ({"RUNNER": "carrier pigeons"}, "xcover.E015"),
        ({"OPERATION_LEASE": 40}, "xcover.W006"),
        ({"ADAPTER": "tests.shop.Adapter", "OFFER_INSTALMENTS": True}, "xcover.W007"),
        ({"OFFER_INSTALMENTS": "yes"}, "xcover.E007"),
        ({"BOOKING_DEADLINE": 90.0}, "xcover.W006"),
        ({"OFFER_DEADLINE": 10}, "xcover.W001"),
        ({"OFFER_DEADLINE": 1.0}, "xcover.W001"),
        ({"OFFER_THREADS": -1}, "xcover.E007"),
        ({"OFFER_THREADS": 1.5}, "xcover.E007"),
        ({"VISITOR_QUOTES": 0}, "xcover.E007"),
        ({"WEBHOOK_TOLERANCE": 86400}, "xcover.W002"),
    ],
)
def test_a_wrong_setting_is_reported(settings: Any, change: dict[str, Any], expected: str) -> None:
    settings.XCOVER = {**GOOD, **change}

    assert ids() == [expected]


@pytest.mark.skipif(django.VERSION >= (6, 0), reason="this Django has the tasks framework")
def test_djangos_tasks_are_refused_where_django_has_none(settings: Any) -> None:
    settings.XCOVER = {**GOOD, "RUNNER": "django_tasks"}

    assert ids() == ["xcover.E015"]
    assert check_deployment() == []


@pytest.mark.parametrize(("runner", "expected"), [("celery", ["xcover.W010"]), ("command", [])])
def test_eager_tasks_are_reported_before_a_deployment(
    settings: Any, runner: str, expected: list[str]
) -> None:
    settings.XCOVER = {**GOOD, "RUNNER": runner}
    assert check_deployment() == []

    current_app.conf.task_always_eager = True
    try:
        assert [message.id for message in check_deployment()] == expected
    finally:
        current_app.conf.task_always_eager = False


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("no.such.Adapter", "ModuleNotFoundError: No module named 'no'"),
        ("tests.shop.Adaptor", 'ImportError: Module "tests.shop" does not define'),
    ],
)
def test_an_adapter_that_cannot_be_imported_is_reported_with_the_cause(
    settings: Any, path: str, cause: str
) -> None:
    settings.XCOVER = {**GOOD, "ADAPTER": path}

    [message] = check_settings()

    assert cause in message.msg


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"BASE_URL": "api.xcover.com/x"}, "xcover.E003"),
        ({"BASE_URL": "ftp://api.xcover.com"}, "xcover.E003"),
        ({"BASE_URL": "https://[api.xcover.com/x"}, "xcover.E003"),
        ({"BASE_URL": "https://api.xcover.com/x?key=1"}, "xcover.E011"),
        ({"PARTNER_CODE": "ACME 1"}, "xcover.E011"),
        ({"API_KEY": "schlüssel"}, "xcover.E011"),
        ({"BASE_URL": "http://api.xcover.com/x"}, "xcover.E004"),
        ({"ALGORITHM": "md5"}, "xcover.E005"),
        ({"SIGNED_HEADERS": "host"}, "xcover.E006"),
        ({"WEBHOOK_ALGORITHMS": ["hmac-sha256", "md5"]}, "xcover.E008"),
        ({"WEBHOOK_ALGORITHMS": []}, "xcover.E008"),
        ({"WEBHOOK_SECRETS": {"key": "too short"}}, "xcover.W003"),
    ],
)
def test_a_wrong_account_is_reported_by_name(
    settings: Any, change: dict[str, Any], expected: str
) -> None:
    settings.XCOVER = {**GOOD, "ACCOUNTS": {"default": ACCOUNT, "eu": {**ACCOUNT, **change}}}

    messages = check_settings()

    assert [message.id for message in messages] == [expected]
    assert "['eu']" in messages[0].msg


@pytest.mark.parametrize("name", ["", "a/b", "x" * 51, 7, "DEFAULT", " "])
def test_a_name_that_no_column_and_no_url_takes_is_reported(settings: Any, name: Any) -> None:
    settings.XCOVER = {**GOOD, "ACCOUNTS": {"default": ACCOUNT, name: ACCOUNT}}

    messages = check_settings()

    assert [message.id for message in messages] == ["xcover.E010"]
    assert repr(name) in messages[0].msg
    assert messages[0].hint


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize(
    ("name", "value"),
    [("USE_TZ", False), ("DATABASES", {"default": {"AUTOCOMMIT": False}})],
)
def test_settings_with_which_nothing_is_ever_booked_are_reported(
    settings: Any, name: str, value: Any
) -> None:
    settings.XCOVER = GOOD
    setattr(settings, name, value)

    assert ids() == ["xcover.E012"]


def test_every_report_says_what_to_do(settings: Any) -> None:
    settings.XCOVER = {**GOOD, "ADAPTER": "no.such.Adapter", "OFFER_DEADLINE": 10}

    assert all(message.hint for message in check_settings())


def test_good_settings_pass(settings: Any) -> None:
    webhooks = {**ACCOUNT, "WEBHOOK_SECRETS": {"key": "a secret that is long enough"}}
    accounts = {"default": ACCOUNT, "told": webhooks}
    settings.XCOVER = {**GOOD, "ACCOUNTS": accounts}

    assert ids() == []


@pytest.mark.parametrize("host", ["127.0.0.1:8001", "127.0.0.9", "[::1]:80", "xcover.localhost"])
def test_a_sandbox_on_this_machine_may_be_plain_http(settings: Any, host: str) -> None:
    settings.XCOVER = {**GOOD, "ACCOUNTS": {"default": {**ACCOUNT, "BASE_URL": f"http://{host}/x"}}}

    assert ids() == []


def test_addresses_that_are_not_mounted_are_named(settings: Any) -> None:
    settings.ROOT_URLCONF = "django.contrib.auth.urls"

    assert "xcover.W011" in ids()


@pytest.mark.parametrize("urls", ["tests.checkout.shopfront", "tests.api.shopfront"])
def test_either_addresses_are_enough(settings: Any, urls: str) -> None:
    settings.ROOT_URLCONF = urls

    assert "xcover.W011" not in ids()


ELEMENTS = {**GOOD, "ELEMENTS_SCRIPT": "https://cdn.example:444/xce.js"}


@pytest.mark.parametrize("directive", ["script-src", "default-src"])
@pytest.mark.parametrize("name", ["SECURE_CSP", "CONTENT_SECURITY_POLICY"])
@pytest.mark.parametrize(
    ("source", "is_blocked"),
    [
        ("'self'", True),
        ("https://cdn.example.evil", True),
        ("https://evilcdn.example:444", True),
        ("*.example", False),
        ("https://cdn.example:444", False),
        ("cdn.example:444", False),
        ("https:", False),
        ("'strict-dynamic'", False),
    ],
)
def test_a_policy_that_blocks_the_script_of_xcover_elements_is_named(
    settings: Any, name: str, directive: str, source: str, is_blocked: bool
) -> None:
    policy = {directive: [source]}
    settings.XCOVER = ELEMENTS
    setattr(settings, name, policy if name == "SECURE_CSP" else {"DIRECTIVES": policy})

    assert ids() == (["xcover.W008"] if is_blocked else [])


@pytest.mark.parametrize("policy", [None, {}, {"img-src": ["'self'"]}])
def test_without_a_policy_for_scripts_none_is_blocked(settings: Any, policy: Any) -> None:
    settings.XCOVER = ELEMENTS
    settings.SECURE_CSP = policy

    assert ids() == []
