"""XCover's partner endpoints, as its documents and recorded traffic have them.

Trailing slashes are irregular on purpose: a redirect to the other form would lose the body, and
the path may be part of the signature (Quotes API: endpoint table).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from django_xcover.client.errors import InvalidPayload
from django_xcover.client.schemas import fields

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class Group(StrEnum):
    """A group of endpoints that share a rate limit (Quotes API: rate limits).

    XCover's documents name "create offer" and "confirm offer", which are taken to be quotes and
    bookings (inferred). Doubtful endpoints belong to the other group, whose limit is lower.
    """

    SALES = "sales"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: HTTP method, path below `partners/{partner}/`, kind of deadline, rate limit.

    `ids` are the ids in the path, each under its key in the response.
    """

    method: str
    path: str
    booking: bool = False  # books, changes or cancels: XCover recommends 10 s or more
    group: Group = Group.OTHER
    ids: tuple[tuple[str, str], ...] = ()

    def at(self, *ids: str) -> Endpoint:
        """Return the endpoint with `ids` filled in, in path order.

        Raise InvalidPayload for a value that cannot be an id.
        """
        path, named = self.path, []
        for name, value in zip(_PLACEHOLDER.findall(path), ids, strict=True):
            if not fields.ID.fullmatch(str(value)):
                raise InvalidPayload(f"{name} is not an XCover id")
            path = path.replace(f"{{{name}}}", str(value))
            named.append(("id" if name == "package_id" else name, str(value)))
        return replace(self, path=path, ids=tuple(named))


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
