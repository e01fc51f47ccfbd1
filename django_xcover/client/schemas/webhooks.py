"""What a webhook's body names. Nothing of it is proven; only event and ids are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_xcover.client.errors import identifier

ID_LENGTH = 64
RENEWAL_IDS = ("-REN", "-UPD")
# All that may be shown of a body, by its path. What else it holds the contract does not fix.
SHOWN = frozenset({("event",), ("payload", "id"), ("payload", "renewal_id"), ("payload", "status")})
# The object with the facts; only its keys are shown besides.
FACTS = ("payload",)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNotice:
    """The event and the ids of package and renewal that a webhook names, "" for none."""

    event: str
    package_id: str
    renewal_id: str

    @property
    def ids(self) -> tuple[str, str]:
        """Return what has to be looked up."""
        return self.package_id, self.renewal_id


def webhook_from_wire(body: Mapping[str, Any]) -> WebhookNotice:
    """Read a webhook's body, whatever it says.

    Documented is `payload.id` of a booking. That RENEWAL_* events have `renewal_id` beside it is
    inferred, and so is that a renewal's id in its place is known by its ending.
    """
    payload = body.get("payload")
    facts = payload if isinstance(payload, Mapping) else {}
    first, second = _id(facts.get("id")), _id(facts.get("renewal_id"))
    if first.endswith(RENEWAL_IDS):
        first, second = "", first
    return WebhookNotice(event=identifier(body.get("event")), package_id=first, renewal_id=second)


def _id(value: object) -> str:
    is_one = isinstance(value, str) and len(value) <= ID_LENGTH
    return identifier(value) if is_one else ""
