"""The partner, as in GET booking and in cancellations (annex A.3)."""

from __future__ import annotations

from typing import Any

from django_xcover.sandbox.ids import account_id

EMAILS = (
    ("booking-confirmation", 0),
    ("booking-cancellation", 2),
    ("booking-modification", 1),
    ("payment-failed", 8),
    ("booking-modification", 12),
)


def shape(code: str) -> dict[str, Any]:
    """Return the partner with its subsidiary, which has the same format.

    Recorded: the e-mail templates contain internal addresses, which clients should not store.
    """
    return {**_party(code), "subsidiary": _party(code)}


def _party(code: str) -> dict[str, Any]:
    return {
        "id": code,
        "slug": code.lower(),
        "name": f"Sandbox partner {code}",
        "title": f"Sandbox partner {code}",
        "logo": "https://static.xcover.example/partnerlogos/sandbox.png",
        "contact_url": "https://partner.example/contact",
        "partner_url": "https://partner.example",
        "help_center_url": "https://partner.example/help",
        "updated_at": "2021-11-02T03:30:28.635906Z",
        "xpay_refund_enabled": True,
        "emails": [_email(slug, event) for slug, event in EMAILS],
        "attributes": {},
    }


def _email(slug: str, event: int) -> dict[str, Any]:
    return {
        "id": account_id(f"{slug}-{event}"),
        "from_email": "XCover.com <hello@xcover.example>",
        "bcc_email": "archive@xcover.example",
        "email_slug": slug,
        "email_version": 1,
        "event_name": event,
        "include_partner_in_context": True,
        "attach_coi": True,
        "auto_send": None,
        "enable_expression": None,
    }
