"""The API's paths, their methods and `Allow` headers (recorded traffic: headers)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request

from django_xcover.sandbox.http.errors import method_not_allowed


@dataclass(frozen=True, eq=False)
class Route:
    """A path under `partners/{partner}`, its recorded `Allow`, and the operation per method."""

    path: str
    allow: str
    operations: Mapping[str, str] = field(default_factory=dict)

    def operation(self, request: Request) -> str:
        """Return the operation's name. Raise ApiError 405 if the method has none.

        Inferred: the recorded `Allow` of `quotes/` includes `GET` and `DELETE`, but their effect
        was never recorded, so they are refused.
        """
        method = "GET" if request.method == "HEAD" and "HEAD" in self.allow else request.method
        name = self.operations.get(method)
        if name is None:
            raise method_not_allowed(request.method)
        fast = request.args.get("fast_quote", "").lower() in {"1", "true"}
        return "fast_quote" if name == "create_quote" and fast else name


COLLECTION = "GET, POST, DELETE, OPTIONS"
ACTION = "POST, OPTIONS"
ROUTES = (
    Route("/quotes/", COLLECTION, {"POST": "create_quote"}),
    Route(
        "/quotes/<package>/",
        "GET, PATCH, DELETE, HEAD, OPTIONS",
        {"GET": "get_quote", "PATCH": "update_quote"},
    ),
    Route("/quotes/<package>/add/", COLLECTION, {"POST": "add_quotes"}),
    Route("/quotes/<package>/delete/", COLLECTION, {"POST": "delete_quotes"}),
    Route("/instant_booking/", ACTION, {"POST": "instant_booking"}),
    Route("/bookings/", "GET, HEAD, OPTIONS", {"GET": "list_bookings"}),
    Route(
        "/bookings/<package>/",
        "GET, POST, PATCH, HEAD, OPTIONS",
        {"GET": "get_booking", "POST": "create_booking", "PATCH": "modify_booking"},
    ),
    Route("/bookings/<package>/confirm/", "PUT, OPTIONS", {"PUT": "confirm_booking"}),
    Route("/bookings/<package>/opt_out/", ACTION, {"POST": "opt_out"}),
    Route("/bookings/<package>/cancel/", ACTION, {"POST": "cancel_booking"}),
    Route(
        "/bookings/<package>/confirm_cancellation/<cancellation>/",
        ACTION,
        {"POST": "confirm_cancellation"},
    ),
    Route(
        "/bookings/<package>/quote_for_update/", "PATCH, OPTIONS", {"PATCH": "quote_modification"}
    ),
    Route("/bookings/<package>/confirm_update/<update>/", ACTION, {"POST": "confirm_modification"}),
    Route(
        "/bookings/<package>/instalments/",
        "GET, POST, HEAD, OPTIONS",
        {"GET": "get_instalments", "POST": "report_instalment"},
    ),
    Route("/bookings/<package>/send_email/", ACTION, {"POST": "send_email"}),
    # Recorded: the last one's `Allow`. Inferred: those of the other three.
    Route(
        "/renewals/<package>/quote_for_renewal/",
        "PATCH, OPTIONS",
        {"PATCH": "quote_for_renewal"},
    ),
    Route("/renewals/<package>/confirm/<renewal>/", ACTION, {"POST": "confirm_renewal"}),
    Route("/renewals/<package>/opt_out/", ACTION, {"POST": "opt_out_of_renewal"}),
    Route(
        "/renewals/<renewal>/confirmation/", "PATCH, OPTIONS", {"PATCH": "confirm_renewal_legacy"}
    ),
)
# Recorded calls are inconsistent about the trailing slash. Inferred: the effect of the wrong form
# is unknown, so both are accepted without a redirect, which would break a signed path.
MAP = Map(
    [
        Rule(f"/{prefix}/partners/<partner>{route.path}", endpoint=route)
        for prefix in ("x", "xcover")
        for route in ROUTES
    ],
    strict_slashes=False,
    merge_slashes=False,
)


@dataclass(frozen=True)
class Match:
    """The route of a request and the ids in its path."""

    route: Route
    partner: str
    ids: Mapping[str, str]


def find(request: Request) -> Match | None:
    """Return the route of the request for any method, or None."""
    try:
        route, values = MAP.bind("sandbox").match(request.path, method="GET")
    except NotFound:
        return None
    ids = {name: value for name, value in values.items() if name != "partner"}
    return Match(route, values["partner"], ids)
