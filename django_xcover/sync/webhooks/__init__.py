"""Webhooks: the sender proven, the body stored, the booking read again.

The signature does not cover the body (Quotes API: authentication of a webhook), so a webhook is a
hint and no more: what changes here is what XCover answers when it is asked. That also makes
duplicates, replays and any order of arrival harmless. The one thing kept from a body is the id that
it announces for a renewal, for the older confirmation of one that XCover has given no other.
"""

from __future__ import annotations

from django_xcover.sync.webhooks.exceptions import NoSuchReceiver, Reason, WebhookRefused
from django_xcover.sync.webhooks.exceptions import count as count_refusal
from django_xcover.sync.webhooks.inbox import forget, replay, sweep
from django_xcover.sync.webhooks.processing import process
from django_xcover.sync.webhooks.receiver import receive

__all__ = [
    "NoSuchReceiver",
    "Reason",
    "WebhookRefused",
    "count_refusal",
    "forget",
    "process",
    "receive",
    "replay",
    "sweep",
]
