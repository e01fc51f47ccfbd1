"""Verify the sender of a webhook (Quotes API: authentication of a webhook).

Only the headers are used: a body isn't read before its sender is verified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import unquote

from django.core.exceptions import BadRequest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.encoding import escape_uri_path

from django_xcover import safe_logging
from django_xcover.client.auth import ALGORITHMS, SIGNED_HEADERS, signature, string_to_sign
from django_xcover.conf import Account
from django_xcover.models import WebhookRefusal

logger = safe_logging.get_logger("django_xcover.webhooks")

Reason = WebhookRefusal.Reason


class WebhookRefused(BadRequest):
    """The sender can't be verified, or the body can't be stored: 400.

    `str()` is for the log and contains no value from the request; `reason` is what is counted.
    """

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class NoSuchReceiver(Http404):
    """The account in the URL does not exist, or has no WEBHOOK_SECRETS: 404."""

    reason = Reason.NO_RECEIVER


def count_refusal(account: str, reason: Reason) -> None:
    """Count one refused request. If the database fails, only the count is lost."""
    now = timezone.now()
    row = {"account": account, "reason": reason, "day": now.date()}
    more = {"count": F("count") + 1, "last_at": now}
    try:
        with transaction.atomic():
            if WebhookRefusal.objects.filter(**row).update(**more):
                return
            new = WebhookRefusal(**row, last_at=now)
            WebhookRefusal.objects.bulk_create([new], ignore_conflicts=True)
            WebhookRefusal.objects.filter(**row).update(**more)
    except DatabaseError as error:
        logger.warning("A refused webhook was not counted: %s", type(error).__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The unverified contents of an `Authorization: Signature …` header."""

    key_id: str = field(repr=False)
    algorithm: str
    headers: str
    signature: str = field(repr=False)


def verify(request: HttpRequest, account: Account, *, tolerance: float) -> None:
    """Raise WebhookRefused unless the request was recently signed with a secret of `account`.

    `tolerance` is in seconds, into the past and into the future.
    """
    claim = _read(_header(request, "Authorization"))
    api_key = _header(request, "X-Api-Key")
    # The contract has both headers, but XCover's gateway is known to omit one of them.
    if api_key and not constant_time_compare(api_key, claim.key_id):
        raise WebhookRefused(
            "The header X-Api-Key names another key than the signature.", Reason.SIGNATURE
        )
    date = _header(request, "Date")
    text = _signed_text(claim, date, request)
    if not _is_signed(claim, text, account):
        raise WebhookRefused(
            "The signature matches none of the account's WEBHOOK_SECRETS.", Reason.SIGNATURE
        )
    _check_age(date, tolerance)


def _header(request: HttpRequest, name: str) -> str:
    """Return a header, "" if absent; refuse anything but ASCII."""
    value = str(request.headers.get(name, ""))
    if not value.isascii():
        raise WebhookRefused(f"The header {name} is not plain ASCII.", Reason.SIGNATURE)
    return value


def _read(authorization: str) -> Claim:
    """Parse the header as XCover's gateway does: split at commas, then at the first `=`."""
    scheme, _, listed = authorization.strip().partition(" ")
    pairs = (item.partition("=") for item in listed.split(","))
    fields = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    if scheme.lower() != "signature" or not {"keyid", "algorithm", "signature"} <= fields.keys():
        raise WebhookRefused(
            "The header Authorization is missing, or is not a signature.", Reason.UNSIGNED
        )
    return Claim(
        key_id=fields["keyid"],
        algorithm=fields["algorithm"].lower(),
        headers=" ".join(fields.get("headers", "date").lower().split()),
        signature=fields["signature"],
    )


def _signed_text(claim: Claim, date: str, request: HttpRequest) -> str:
    if not date:
        raise WebhookRefused("The header Date is missing; the signature covers it.", Reason.DATE)
    if claim.headers not in SIGNED_HEADERS:
        raise WebhookRefused(
            "The signature covers other headers than those of the contract.", Reason.SIGNATURE
        )
    # Escaped as it was sent, because Django has unescaped the path.
    path = escape_uri_path(request.path)
    return string_to_sign(claim.headers, date=date, method=str(request.method), path=path)


def _is_signed(claim: Claim, text: str, account: Account) -> bool:
    """Compare with every secret, without stopping at the first match."""
    if claim.algorithm not in set(account.webhook_algorithms) & ALGORITHMS.keys():
        raise WebhookRefused(
            "The signature's algorithm is not among WEBHOOK_ALGORITHMS.", Reason.SIGNATURE
        )
    # Decoded, because escapes may be in lower case (Quotes API: details worth copying).
    given = unquote(claim.signature)
    matches = [
        constant_time_compare(claim.key_id, key)
        & constant_time_compare(
            given, unquote(signature(text, secret=secret, algorithm=claim.algorithm))
        )
        for key, secret in account.webhook_secrets
    ]
    return any(matches)


def _check_age(date: str, tolerance: float) -> None:
    """Raise WebhookRefused if the date is invalid or too far off (perhaps by our own clock)."""
    try:
        parsed = parsedate_tz(date)
        # A time zone with many digits overflows.
        age = abs(timezone.now().timestamp() - mktime_tz(parsed)) if parsed else None
    except (ValueError, OverflowError, TypeError, IndexError):
        age = None
    if age is None:
        raise WebhookRefused("The header Date is not a date.", Reason.DATE)
    if age > tolerance:
        raise WebhookRefused(
            "The header Date is not within WEBHOOK_TOLERANCE of this machine's clock.",
            Reason.DATE,
        )
