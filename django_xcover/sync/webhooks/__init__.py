"""Webhooks: verify the sender, store the body, read the booking again.

The signature doesn't cover the body (Quotes API: authentication of a webhook), so a webhook is only
a hint: the stored data changes to what XCover answers to a read. This also makes duplicates,
replays and any order of arrival harmless. The only value taken from a body is the announced id of a
renewal, which the older confirmation needs if XCover has given no other id.
"""

from __future__ import annotations

from django_xcover.sync.webhooks.inbox import forget, replay, sweep
from django_xcover.sync.webhooks.processing import process
from django_xcover.sync.webhooks.receiver import receive
from django_xcover.sync.webhooks.verification import (
    NoSuchReceiver,
    Reason,
    WebhookRefused,
    count_refusal,
)

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
