from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Request
from xcover.auth import XCoverAuth
from xcover.config import AuthConfig, SignatureAlgorithm

from django_xcover.client import ConfigurationError
from django_xcover.client.auth import SignatureAuth, http_date, signature, string_to_sign
from tests.examples import examples

DATE = "Mon, 02 Mar 2026 09:05:07 GMT"
TARGET = "(request-target) date"


def auth(**options: str) -> SignatureAuth:
    facts = {
        "api_key": "K",
        "api_secret": "S",
        "algorithm": "hmac-sha512",
        "signed_headers": "date",
    }
    return SignatureAuth(**{**facts, **options})


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("hmac-sha1", "6scVQPFADeFN2OVtH%2BhkrvHCvNE%3D"),
        ("hmac-sha256", "2k%2BvR9FRS98OUHNkNNaDr8rEsB5kgvqtGKCJDSGvAhM%3D"),
        (
            "hmac-sha384",
            "SYg7unhxnz7Vq2dkd93%2FFgPI%2B7ZTBBiGXyMUz4NEWeRggbwa7voiyNkn0RhD6e03",
        ),
        (
            "hmac-sha512",
            (
                "oV4xY8QvalTheLEA%2FoQ3w%2BXsuu%2B9S9Yy64gyhB1SFTOuewb4YI%2FBh6a%2FXsISWXcLpY6LZTGDfQ"
                "WUBxq7qMuOTQ%3D%3D"
            ),
        ),
    ],
)
def test_a_date_signature_equals_the_contracts_vector(algorithm: str, value: str) -> None:
    text = string_to_sign("date", date=DATE, method="POST", path="/ignored")

    made = signature(text, secret="s3cr3t-value", algorithm=algorithm)

    assert made == value


def test_a_signature_over_the_request_target_equals_the_contracts_vector() -> None:
    text = string_to_sign(TARGET, date=DATE, method="POST", path="/x/partners/ACME1/quotes/")

    made = signature(text, secret="s3cr3t-value", algorithm="hmac-sha512")

    assert made == (
        "yVdDCVADLESpfLFG4nI9DC7IBIAQyT05DGTGjsKXn8A6EW0HBJgLA1A8mh0UeJmVIt6VWVXApnlH6SD6yLilag%3D%3D"
    )


def test_a_signature_equals_the_official_sdks_own_test_vector() -> None:
    made = signature(
        "date: Sun, 29 Aug 2021 12:07:26 GMT", secret="test_api_secret", algorithm="hmac-sha256"
    )

    assert made == "bfxytCfvFqito27v0%2FKcN1jBJsgnCReimKXdAWwoi0k%3D"


def test_signing_the_date_alone_sends_no_list_of_headers() -> None:
    header = auth().header("GET", "/x", DATE)

    assert header.startswith('Signature keyId="K",algorithm="hmac-sha512",signature="')


def test_signing_the_request_target_lists_it_between_algorithm_and_signature() -> None:
    header = auth(signed_headers=TARGET).header("GET", "/x", DATE)

    assert f'algorithm="hmac-sha512",headers="{TARGET}",signature="' in header


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)
KEYS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), min_size=1
)
PATHS = st.lists(
    st.text("ABCDEFGHJKLMNPQRTUVWXYabc346789-_", min_size=1, max_size=12), min_size=1, max_size=5
)


def sdks_header(prepared: PreparedRequest, **facts: Any) -> str:
    return str(XCoverAuth(AuthConfig(**facts))(prepared).headers["authorization"])


@settings(max_examples=examples(2000), deadline=None)
@given(
    key=KEYS,
    secret=TEXT,
    algorithm=st.sampled_from(list(SignatureAlgorithm)),
    signed=st.sampled_from(["date", TARGET]),
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH"]),
    path=PATHS,
    query=st.sampled_from(["", "?fast_quote=1", "?limit=1&offset=2"]),
    moment=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_any_signature_equals_what_the_official_sdk_makes(
    *,
    key: str,
    secret: str,
    algorithm: SignatureAlgorithm,
    signed: str,
    method: str,
    path: list[str],
    query: str,
    moment: datetime,
) -> None:
    url = f"https://api.example/x/partners/{'/'.join(path)}/{query}"
    prepared = Request(method, url, headers={"date": http_date(moment)}).prepare()

    ours = auth(
        api_key=key, api_secret=secret, algorithm=algorithm.value, signed_headers=signed
    ).header(method, prepared.path_url.partition("?")[0], http_date(moment))

    theirs = sdks_header(
        prepared, api_key=key, api_secret=secret, algorithm=algorithm, headers=signed
    )
    assert ours == theirs.replace(',headers="date"', "")


@pytest.mark.parametrize("options", [{"algorithm": "md5"}, {"signed_headers": "digest"}])
def test_an_unknown_way_to_sign_is_refused_at_once(options: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        auth(**options)


@pytest.mark.parametrize("key", ["", 'quo"te', "new\nline", "ü"])
def test_a_key_that_would_break_out_of_its_header_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="api_key"):
        auth(api_key=key)


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="api_secret"):
        auth(api_secret="")


def test_the_date_is_in_gmt_with_a_day_of_two_digits() -> None:
    moment = datetime(2026, 3, 2, 20, 5, 7, tzinfo=timezone(timedelta(hours=11)))

    assert http_date(moment) == DATE
