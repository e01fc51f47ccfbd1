"""Who sent it (Quotes API: authentication of a webhook).

The headers alone are looked at: a body is not read before its sender is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import unquote

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.encoding import escape_uri_path

from django_xcover.client.auth import ALGORITHMS, SIGNED_HEADERS, signature, string_to_sign
from django_xcover.conf import Account
from django_xcover.sync.webhooks.exceptions import Reason, WebhookRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an `Authorization: Signature …` header says; nothing of it is proven."""

    key_id: str = field(repr=False)
    algorithm: str
    headers: str
    signature: str = field(repr=False)


def verify(request: HttpRequest, account: Account, *, tolerance: float) -> None:
    """Raise WebhookRefused unless the sender knows a secret of `account`, and signed just now.

    `tolerance` is in seconds, into the past and into the future.
    """
    claim = _read(_header(request, "Authorization"))
    _check_key(claim, _header(request, "X-Api-Key"))
    date = _header(request, "Date")
    text = _signed_text(claim, date, request)
    if not _is_signed(claim, text, account):
        raise WebhookRefused(
            "The signature was made with none of the account's WEBHOOK_SECRETS.", Reason.SIGNATURE
        )
    _check_age(date, tolerance)


def _header(request: HttpRequest, name: str) -> str:
    """Return a header, "" when it is absent; what is signed and compared is ASCII."""
    value = str(request.headers.get(name, ""))
    if not value.isascii():
        raise WebhookRefused(f"The header {name} is not plain ASCII.", Reason.SIGNATURE)
    return value


def _read(authorization: str) -> Claim:
    """Take the header apart as the gateway does: at commas, then at the first `=`."""
    scheme, _, listed = authorization.strip().partition(" ")
    pairs = (item.partition("=") for item in listed.split(","))
    fields = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    if scheme.lower() != "signature" or not {"keyid", "algorithm", "signature"} <= fields.keys():
        raise WebhookRefused(
            "The header Authorization is missing, or no signature.", Reason.UNSIGNED
        )
    return Claim(
        key_id=fields["keyid"],
        algorithm=fields["algorithm"].lower(),
        headers=" ".join(fields.get("headers", "date").lower().split()),
        signature=fields["signature"],
    )


def _check_key(claim: Claim, api_key: str) -> None:
    # The contract sends both; that one of them may be absent is known of its gateway.
    if api_key and not constant_time_compare(api_key, claim.key_id):
        raise WebhookRefused(
            "The header X-Api-Key names another key than the signature.", Reason.SIGNATURE
        )


def _signed_text(claim: Claim, date: str, request: HttpRequest) -> str:
    if not date:
        raise WebhookRefused("The header Date is missing, and it is what is signed.", Reason.DATE)
    if claim.headers not in SIGNED_HEADERS:
        raise WebhookRefused(
            "The signature covers other headers than the contract has.", Reason.SIGNATURE
        )
    # Escaped, as it came: Django has taken the escapes out.
    path = escape_uri_path(request.path)
    return string_to_sign(claim.headers, date=date, method=str(request.method), path=path)


def _is_signed(claim: Claim, text: str, account: Account) -> bool:
    """Compare with every secret of the key, without stopping at the first that fits."""
    if claim.algorithm not in set(account.webhook_algorithms) & ALGORITHMS.keys():
        raise WebhookRefused(
            "The signature's algorithm is not among WEBHOOK_ALGORITHMS.", Reason.SIGNATURE
        )
    # Decoded, because escapes may be in lower case (Quotes API: details worth copying).
    given = unquote(claim.signature)
    fits = [
        constant_time_compare(claim.key_id, key)
        & constant_time_compare(
            given, unquote(signature(text, secret=secret, algorithm=claim.algorithm))
        )
        for key, secret in account.webhook_secrets
    ]
    return any(fits)


def _check_age(date: str, tolerance: float) -> None:
    """Raise WebhookRefused for a date that is none, or too far off; ours may be the wrong clock."""
    try:
        parsed = parsedate_tz(date)
        # A time zone may have more digits than any moment.
        age = abs(timezone.now().timestamp() - mktime_tz(parsed)) if parsed else None
    except (ValueError, OverflowError, TypeError, IndexError):
        age = None
    if age is None:
        raise WebhookRefused("The header Date is no date.", Reason.DATE)
    if age > tolerance:
        raise WebhookRefused(
            "The header Date is not within WEBHOOK_TOLERANCE of this machine's clock.",
            Reason.DATE,
        )
