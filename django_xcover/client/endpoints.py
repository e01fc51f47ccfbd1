"""XCover's partner endpoints, row by row as its documents and recorded traffic have them.

Final slashes are irregular on purpose: a redirect to the other form would lose the body, and the
path is part of what may be signed (Quotes API: endpoint table).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from django_xcover.client.errors import InvalidPayload
from django_xcover.client.schemas import fields

_PLACE: Final = re.compile(r"\{(\w+)\}")


class Group(StrEnum):
    """The endpoints that share a rate limit (Quotes API: rate limits).

    XCover names "create offer" and "confirm offer", which are quotes and bookings here (inferred).
    What is in doubt counts among the others, whose limit is lower.
    """

    SALES = "sales"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row: verb, path below `partners/{partner}/`, whether it may take its time, its limit.

    `asked` are the ids in the path by the name that they have in an answer.
    """

    method: str
    path: str
    booking: bool = False  # its write is a booking's: XCover asks for 10 s or more
    group: Group = Group.OTHER
    asked: tuple[tuple[str, str], ...] = ()

    def at(self, *ids: str) -> Endpoint:
        """Return the row for `ids`, in path order; raise InvalidPayload for what cannot be one."""
        path, asked = self.path, []
        for name, value in zip(_PLACE.findall(path), ids, strict=True):
            if not fields.ID.fullmatch(str(value)):
                raise InvalidPayload(f"{name} is not an XCover id")
            path = path.replace(f"{{{name}}}", str(value))
            asked.append(("id" if name == "package_id" else name, str(value)))
        return replace(self, path=path, asked=tuple(asked))


CREATE_QUOTE = Endpoint("POST", "quotes/", group=Group.SALES)
GET_QUOTE = Endpoint("GET", "quotes/{package_id}/")
UPDATE_QUOTE = Endpoint("PATCH", "quotes/{package_id}/")
ADD_QUOTES = Endpoint("POST", "quotes/{package_id}/add/")
DELETE_QUOTES = Endpoint("POST", "quotes/{package_id}/delete/")

CREATE_BOOKING = Endpoint("POST", "bookings/{package_id}/", booking=True, group=Group.SALES)
CONFIRM_BOOKING = Endpoint("PUT", "bookings/{package_id}/confirm", booking=True)
INSTANT_BOOKING = Endpoint("POST", "instant_booking/", booking=True, group=Group.SALES)
OPT_OUT = Endpoint("POST", "bookings/{package_id}/opt_out")
GET_BOOKING = Endpoint("GET", "bookings/{package_id}/")
LIST_BOOKINGS = Endpoint("GET", "bookings/")

MODIFY = Endpoint("PATCH", "bookings/{package_id}/", booking=True)
QUOTE_MODIFICATION = Endpoint("PATCH", "bookings/{package_id}/quote_for_update")
CONFIRM_MODIFICATION = Endpoint(
    "POST", "bookings/{package_id}/confirm_update/{update_id}/", booking=True
)
CANCEL = Endpoint("POST", "bookings/{package_id}/cancel", booking=True)
CONFIRM_CANCELLATION = Endpoint(
    "POST", "bookings/{package_id}/confirm_cancellation/{cancellation_id}/", booking=True
)

QUOTE_RENEWAL = Endpoint("PATCH", "renewals/{package_id}/quote_for_renewal/")
CONFIRM_RENEWAL = Endpoint("POST", "renewals/{package_id}/confirm/{renewal_id}/", booking=True)
RENEWAL_OPT_OUT = Endpoint("POST", "renewals/{package_id}/opt_out/")
CONFIRM_RENEWAL_LEGACY = Endpoint("PATCH", "renewals/{renewal_id}/confirmation", booking=True)

GET_INSTALMENTS = Endpoint("GET", "bookings/{package_id}/instalments/")
REPORT_INSTALMENT = Endpoint("POST", "bookings/{package_id}/instalments/")
SEND_EMAIL = Endpoint("POST", "bookings/{package_id}/send_email")
