"""Who may call: signatures, keys and partners."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from tests.sandbox.support import Caller, a_cart, signature

FORBIDDEN = {"type": "auth_error", "message": "You do not have permission to access this url"}
DATE = "Mon, 02 Mar 2026 09:05:07 GMT"


def _status(caller: Caller, **headers: str | None) -> int:
    url = f"{caller.base_url}/partners/SHOP1/bookings/"
    sent = {**caller.signed("GET", url), **headers}
    known = {name: value for name, value in sent.items() if value is not None}
    return caller.session.get(url, headers=known).status_code


def _authorization(text: str, *, extra: str = "", digest: str = "sha512") -> str:
    signed = signature("sandbox-secret", text, digest)
    return f'Signature keyId="sandbox-key",algorithm="hmac-{digest}",{extra}signature="{signed}"'


def test_an_unknown_key_is_unauthorized(caller: Caller) -> None:
    caller.key = "somebody-else"

    assert caller.call("GET", "bookings/").status_code == 401


def test_a_missing_key_is_unauthorized(caller: Caller) -> None:
    assert _status(caller, **{"Authorization": None, "X-Api-Key": None}) == 401


def test_two_different_keys_are_unauthorized(caller: Caller) -> None:
    assert _status(caller, **{"X-Api-Key": "another-key"}) == 401


def test_a_key_without_a_signature_is_forbidden(caller: Caller) -> None:
    assert _status(caller, Authorization=None) == 403


def test_a_wrong_secret_is_forbidden_in_the_captured_words(caller: Caller) -> None:
    caller.secret = "wrong"

    answer = caller.call("GET", "bookings/")

    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)


def test_another_date_than_the_signed_one_is_forbidden(caller: Caller) -> None:
    assert _status(caller, Date=DATE) == 403


def test_an_unknown_algorithm_is_forbidden(caller: Caller) -> None:
    authorization = _authorization(f"date: {DATE}").replace("hmac-sha512", "hmac-md5")

    assert _status(caller, Date=DATE, Authorization=authorization) == 403


def test_a_signature_that_is_not_escaped_is_forbidden(caller: Caller) -> None:
    authorization = _authorization(f"date: {DATE}")
    bare = authorization.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/")
    assert bare != authorization

    assert _status(caller, Date=DATE, Authorization=bare) == 403


def test_a_field_nobody_knows_makes_the_header_worthless(caller: Caller) -> None:
    authorization = _authorization(f"date: {DATE}", extra='nonce="1",')

    assert _status(caller, Date=DATE, Authorization=authorization) == 403


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_four_algorithms_are_accepted(caller: Caller, digest: str) -> None:
    authorization = _authorization(f"date: {DATE}", digest=digest)

    assert _status(caller, Date=DATE, Authorization=authorization) == 200


def test_lower_case_escapes_are_accepted(caller: Caller) -> None:
    authorization = _authorization(f"date: {DATE}")
    lower = re.sub("%[0-9A-F]{2}", lambda escape: escape.group().lower(), authorization)
    assert lower != authorization

    assert _status(caller, Date=DATE, Authorization=lower) == 200


def test_an_aux_date_replaces_the_date(caller: Caller) -> None:
    authorization = _authorization(f"x-aux-date: {DATE}")

    assert _status(caller, Authorization=authorization, **{"x-aux-date": DATE}) == 200
    assert _status(caller, Authorization=authorization) == 403


def test_a_signed_path_covers_the_path_and_not_the_query(caller: Caller) -> None:
    url = f"{caller.base_url}/partners/SHOP1/bookings/"
    headers = caller.signed("GET", url, names="(request-target) date")

    listed = caller.session.get(f"{url}?limit=1", headers=headers)
    elsewhere = caller.session.get(url.rstrip("/"), headers=headers)

    assert (listed.status_code, elsewhere.status_code) == (200, 403)


def test_the_key_may_stand_in_the_signature_alone(caller: Caller) -> None:
    assert _status(caller, **{"X-Api-Key": None}) == 200


def test_an_old_date_is_accepted_unless_a_skew_is_set(caller: Caller) -> None:
    strict = Sandbox(max_skew=timedelta(minutes=5))
    authorization = _authorization(f"date: {DATE}")
    with requests.Session() as session:
        mount(session, "https://strict.test/x", strict)
        careful = Caller(session, "https://strict.test/x")

        assert _status(careful, Date=DATE, Authorization=authorization) == 403
        assert careful.call("GET", "bookings/").status_code == 200
    assert _status(caller, Date=DATE, Authorization=authorization) == 200
    strict.close()


@pytest.fixture
def other(sandbox: Sandbox, caller: Caller) -> Caller:
    """Return a second partner of the same sandbox."""
    sandbox.add_partner(partner_code="SHOP2", api_key="key-2", api_secret="secret-2")
    return Caller(caller.session, caller.base_url, "key-2", "secret-2", "SHOP2")


def test_another_partners_package_is_not_found(caller: Caller, other: Caller) -> None:
    package = caller.quoted()

    answer = other.call("GET", f"quotes/{package['id']}/")

    assert answer.status_code == 404
    assert answer.json() == {"type": "api_error", "message": "Quote package does not exist"}


def test_another_partners_path_is_not_found(caller: Caller, other: Caller) -> None:
    other.partner = "SHOP1"

    assert other.call("POST", "quotes/", a_cart()).status_code == 404
