"""Removes what staff may not see from XCover's answers and our requests.

It removes bearer links and tokens, because anyone who has one can act as the customer, and support
screens are photographed, shared and recorded. It also removes personal data that support doesn't
need: name, e-mail and country identify a caller; address, birth date and phone are in the shop's
order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

HIDDEN = "[hidden]"

# Quotes API, 13.3 (booking answer) and 13.6 (partner); `attachments` and `files` hold links too.
HIDDEN_KEYS = frozenset({"account_url", "attachments", "coi", "emails", "files", "sign_up_url"})
HIDDEN_WORDS = re.compile(
    r"token|secret|password|signature|api_?key|_link$|e?mails$", re.IGNORECASE
)
# A security_token or signup_token, wherever it stands (Quotes API: identifiers).
TOKEN = re.compile(r"\b[A-Za-z0-9]{5}(?:-[A-Za-z0-9]{5}){3}\b")
ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
HARMLESS_PARAMETERS = frozenset({"language", "policy_type"})

# Only these keys of the objects are shown, so that new keys from XCover are hidden by default.
SHOWN_OF_PERSON = frozenset({"id", "first_name", "last_name", "email", "country"})
SHOWN_OF_PARTNER = frozenset({"id", "slug", "name", "title"})
SHOWN_KEYS: Mapping[str, frozenset[str]] = {
    "booking_agent": SHOWN_OF_PERSON,
    "customer": SHOWN_OF_PERSON,
    "insured": SHOWN_OF_PERSON,
    "partner": SHOWN_OF_PARTNER,
    "policyholder": SHOWN_OF_PERSON,
}


def redact(value: Any) -> Any:
    """Return the JSON value `value`, redacted."""
    if isinstance(value, Mapping):
        return {key: _redact_under(str(key), below) for key, below in value.items()}
    if isinstance(value, list):
        return [redact(below) for below in value]
    return redact_text(value) if isinstance(value, str) else value


def redact_text(text: str) -> str:
    """Return `text` without tokens, and its URLs without query and fragment."""
    return TOKEN.sub(HIDDEN, ADDRESS.sub(lambda match: _bare_address(match[0]), text))


def pretty(value: Any) -> str:
    """Return the JSON value `value` redacted and indented."""
    return json.dumps(redact(value), indent=2, ensure_ascii=False, sort_keys=False, default=str)


def _redact_under(key: str, value: Any) -> Any:
    if key in HIDDEN_KEYS or HIDDEN_WORDS.search(key):
        return HIDDEN if value else value
    shown = SHOWN_KEYS.get(key)
    return redact(value) if shown is None else _only(shown, value)


def _only(shown: frozenset[str], value: Any) -> Any:
    if isinstance(value, list):
        return [_only(shown, below) for below in value]
    if not isinstance(value, Mapping):
        return HIDDEN if value else value
    return {
        key: redact(below) if key in shown or not below else HIDDEN for key, below in value.items()
    }


def _bare_address(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets or characters that are invalid in a host
        return HIDDEN
    names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if names <= HARMLESS_PARAMETERS and not parts.fragment:
        return address
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")) + "?" + HIDDEN


def names_of(keys: Iterable[str]) -> dict[str, str]:
    """Return the user names for `keys`, in one query; a deleted user's key stays as it is."""
    wanted = {key for key in keys if key}
    if not wanted:
        return {}
    users = get_user_model()._default_manager
    try:
        names = {str(user.pk): user.get_username() for user in users.filter(pk__in=wanted)}
    except (ValueError, ValidationError):  # keys of another user model
        names = {}
    return {key: names.get(key, key) for key in wanted}


def name_of(key: str) -> str:
    """Return the user name for `key`, "" for none."""
    return names_of([key]).get(key, "")
