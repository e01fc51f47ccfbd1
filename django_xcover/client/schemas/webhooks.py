"""The body of a webhook. It is not authenticated, so only the event and the ids are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_xcover.client.errors import identifier

ID_LENGTH = 64
RENEWAL_IDS = ("-REN", "-UPD")
# The paths that may be shown of a body. The contract does not define its other fields.
SHOWN = frozenset({("event",), ("payload", "id"), ("payload", "renewal_id"), ("payload", "status")})
# The object with the details. Of its other fields only the keys are shown.
FACTS = ("payload",)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNotice:
    """The event, package id and renewal id in a webhook, each "" if absent."""

    event: str
    package_id: str
    renewal_id: str

    @property
    def ids(self) -> tuple[str, str]:
        """Return the ids to look up."""
        return self.package_id, self.renewal_id


def webhook_from_wire(body: Mapping[str, Any]) -> WebhookNotice:
    """Read a webhook's body. Never raises.

    XCover documents `payload.id` as the id of a booking. It is inferred that RENEWAL_* events also
    have `renewal_id`, and that a renewal's id under `id` can be recognized by its suffix.
    """
    payload = body.get("payload")
    details = payload if isinstance(payload, Mapping) else {}
    package_id, renewal_id = _id(details.get("id")), _id(details.get("renewal_id"))
    if package_id.endswith(RENEWAL_IDS):
        package_id, renewal_id = "", package_id
    return WebhookNotice(
        event=identifier(body.get("event")), package_id=package_id, renewal_id=renewal_id
    )


def _id(value: object) -> str:
    is_valid = isinstance(value, str) and len(value) <= ID_LENGTH
    return identifier(value) if is_valid else ""
