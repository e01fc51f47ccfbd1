"""The XCOVER setting."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_xcover.conf import get_config

ACCOUNT = {
    "BASE_URL": "https://api.xcover.com/x",
    "PARTNER_CODE": "ACME1",
    "API_KEY": "the-key",
    "API_SECRET": "the-secret",
}
GOOD = {"ADAPTER": "tests.shop.Adapter", "ACCOUNTS": {"default": ACCOUNT}}


def with_webhooks(**facts: Any) -> dict[str, Any]:
    """Return good settings but for what the account says about webhooks."""
    return {**GOOD, "ACCOUNTS": {"default": {**ACCOUNT, **facts}}}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (None, "Set XCOVER to a dict"),
        ([], "Set XCOVER to a dict"),
        ({}, "ACCOUNTS"),
        ({"ADAPTER": "x", "ACCOUNTS": {}}, "a 'default' account"),
        ({"ADAPTER": "x", "ACCOUNTS": {"default": "key"}}, r"\['default'\] to a dict"),
        ({"ACCOUNTS": {"default": ACCOUNT}}, "XCOVER is missing ADAPTER"),
        ({**GOOD, "TIMEOUT": 3}, "unknown keys: TIMEOUT"),
        ({**GOOD, "ACCOUNTS": {"eu": {**ACCOUNT, "SECRET": "x"}}}, "unknown keys: SECRET"),
        ({**GOOD, "ACCOUNTS": {"eu": {**ACCOUNT, "API_KEY": ""}}}, "API_KEY.*must be a non-empty"),
        (
            {**GOOD, "ACCOUNTS": {"eu": {**ACCOUNT, "API_KEY": None}}},
            "API_KEY.*must be a non-empty",
        ),
        (with_webhooks(WEBHOOK_SECRETS="the-secret"), "WEBHOOK_SECRETS.*must be a dict of key"),
        (with_webhooks(WEBHOOK_SECRETS={"key": ""}), "WEBHOOK_SECRETS.*must be a dict of key"),
        (with_webhooks(WEBHOOK_SECRETS={"key": ["a", "b"]}), "or a list of such pairs"),
        (with_webhooks(WEBHOOK_SECRETS={"k,1": "the-secret"}), "WEBHOOK_SECRETS"),
        (with_webhooks(WEBHOOK_SECRETS={"ключ": "the-secret"}), "WEBHOOK_SECRETS"),
        (with_webhooks(WEBHOOK_SECRETS=None), "WEBHOOK_SECRETS"),
        (with_webhooks(WEBHOOK_ALGORITHMS="hmac-sha256"), "WEBHOOK_ALGORITHMS.*a list of names"),
    ],
)
def test_a_setting_that_is_wrong_says_what_to_mend(
    settings: Any, setting: Any, message: str
) -> None:
    settings.XCOVER = setting

    with pytest.raises(ImproperlyConfigured, match=message):
        get_config()


def test_an_account_without_a_key_names_what_it_lacks(settings: Any) -> None:
    account = {name: value for name, value in ACCOUNT.items() if name != "API_SECRET"}
    settings.XCOVER = {**GOOD, "ACCOUNTS": {"default": account}}

    with pytest.raises(ImproperlyConfigured, match=r"\['default'\] is missing API_SECRET"):
        get_config()


def test_an_unknown_account_is_named_with_those_there_are(settings: Any) -> None:
    settings.XCOVER = GOOD

    with pytest.raises(ImproperlyConfigured, match=r"no account 'eu'\. Known accounts: default"):
        get_config().account("eu")


def test_no_error_and_no_repr_shows_a_secret(settings: Any) -> None:
    settings.XCOVER = {**GOOD, "ACCOUNTS": {"default": {**ACCOUNT, "ALGORITHM": ""}}}

    with pytest.raises(ImproperlyConfigured) as caught:
        get_config()
    assert "the-secret" not in str(caught.value)

    settings.XCOVER = GOOD
    assert "the-secret" not in repr(get_config())
    assert "the-key" not in repr(get_config())


def test_secrets_of_webhooks_are_a_dict_or_pairs_and_are_never_shown(settings: Any) -> None:
    settings.XCOVER = with_webhooks(WEBHOOK_SECRETS={"key-1": "the-secret"})
    assert get_config().account("default").webhook_secrets == (("key-1", "the-secret"),)
    assert "the-secret" not in repr(get_config())

    settings.XCOVER = with_webhooks(WEBHOOK_SECRETS=[["key-1", "old"], ["key-1", "new"]])
    pairs = get_config().account("default").webhook_secrets
    assert pairs == (("key-1", "old"), ("key-1", "new"))

    settings.XCOVER = with_webhooks(WEBHOOK_SECRETS={"key,1": "the-secret"})
    with pytest.raises(ImproperlyConfigured) as caught:
        get_config()
    assert "the-secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_overridden_setting_is_seen_at_once(settings: Any) -> None:
    settings.XCOVER = GOOD
    assert get_config().offer_deadline == 3.0

    settings.XCOVER = {**GOOD, "OFFER_DEADLINE": 0.5}
    assert get_config().offer_deadline == 0.5


@pytest.mark.parametrize("rate", [0, 0.5, -1, True, "50", float("inf"), float("nan")])
@pytest.mark.parametrize("key", ["SALES_RATE", "OTHER_RATE", "TOTAL_RATE"])
def test_a_rate_is_a_number_of_calls_a_second(settings: Any, key: str, rate: Any) -> None:
    settings.XCOVER = {**GOOD, "ACCOUNTS": {"default": {**ACCOUNT, key: rate}}}

    with pytest.raises(ImproperlyConfigured, match=f"{key}.*calls per second"):
        get_config()
