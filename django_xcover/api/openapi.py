"""Describe the API to drf-spectacular (the extra `openapi`).

Only imported to generate a document: the one that the package ships, or the shop's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer
from rest_framework.permissions import SAFE_METHODS

from django_xcover.api.description import Description
from django_xcover.api.idempotency import HEADER, PATTERN
from django_xcover.api.problems import MEDIA_TYPE
from django_xcover.api.serializers.fields import ProblemShape
from django_xcover.policies.documents import KINDS

PATHS: Mapping[str, Mapping[str, Any]] = {
    "quote_id": {
        "type": "string",
        "pattern": "^[0-9A-Za-z-]{1,64}$",
        "description": "The id of a policy. It is also the id of the quote that was accepted.",
    },
    "id": {"type": "integer", "minimum": 1, "description": "The id in the answer that created it."},
    "kind": {"type": "string", "enum": list(KINDS), "description": "The kind of document."},
    "reference": {"type": "string", "minLength": 1, "description": "The shop's order number."},
}
READING: Mapping[int, str] = {
    400: "The request isn't as documented, or contains a card number.",
    401: "One of the shop's authentication classes rejected the request.",
    403: "One of the shop's classes rejected the request, or the CSRF token is missing.",
    404: "This shopper has no such object.",
    405: "The method isn't allowed here.",
    406: "`Accept` excludes JSON.",
    429: "Too many requests. `Retry-After` has the wait if it is known.",
    500: "An error in the shop. It is unknown whether anything has changed.",
    503: "The insurer can't be reached. Nothing has changed.",
}
WRITING: Mapping[int, str] = {
    409: "The current state doesn't allow it. `code` says why.",
    415: "The body isn't `application/json`.",
    422: "The values are not accepted.",
}
KEY: Mapping[str, Any] = {
    "type": "string",
    "pattern": PATTERN,
    "description": "A new text for each request. Repeating it within 24 hours repeats the answer.",
}
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "Location": {"type": "string", "description": "The URL to request next."},
    "Retry-After": {"type": "integer", "minimum": 1, "description": "The wait in seconds."},
}


class Inspector(AutoSchema):
    """Reads the `Description` of a view's method.

    `prefix` begins the name of each component, because a shop may have an `Offer` of its own.
    """

    prefix = "XCover"

    @property
    def description(self) -> Description:
        """Return what the current method declares."""
        found: Description = getattr(self.view, self.method.lower()).description
        return found

    def get_operation_id(self) -> str:
        """Return the declared id, the name of the function in generated clients."""
        return self.description.operation

    def get_tags(self) -> list[str]:
        """Return one tag, so that a shop's document keeps these operations together."""
        return ["xcover"]

    def get_request_serializer(self) -> Any:
        """Return the declared shapes of the body."""
        takes = self.description.takes
        if len(takes) < 2:
            return takes[0] if takes else None
        return PolymorphicProxySerializer(
            component_name=f"{self.prefix}{self.description.operation[0].upper()}"
            f"{self.description.operation[1:]}Input",
            serializers=list(takes),
            resource_type_field_name=None,
        )

    def get_response_serializers(self) -> Any:
        """Return the declared answers, and the problems that any request can have."""
        answers: dict[Any, OpenApiResponse] = {
            status: OpenApiResponse(
                response=None if isinstance(answer, str) else answer,
                description=answer if isinstance(answer, str) else HTTPStatus(status).phrase,
            )
            for status, answer in self.description.answers.items()
        }
        is_read = self.method in SAFE_METHODS
        for status, meaning in (READING if is_read else {**READING, **WRITING}).items():
            answers[status, MEDIA_TYPE] = OpenApiResponse(ProblemShape, description=meaning)
        return answers

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters of the path and the query, and the headers of the answers."""
        found = [*self._in_path(), *self._in_query(), *self._of_answers()]
        if self.method not in SAFE_METHODS:
            found.append(_parameter(HEADER, KEY, OpenApiParameter.HEADER))
        return found

    def _in_path(self) -> Iterator[OpenApiParameter]:
        for name, schema in PATHS.items():
            if f"{{{name}}}" in self.path:
                yield _parameter(name, schema, OpenApiParameter.PATH)

    def _in_query(self) -> Iterator[OpenApiParameter]:
        for name, schema in self.description.query.items():
            yield _parameter(name, schema, OpenApiParameter.QUERY)

    def _of_answers(self) -> Iterator[OpenApiParameter]:
        for status, names in self.description.headers.items():
            for name in names:
                yield _parameter(name, HEADERS[name], OpenApiParameter.HEADER, response=[status])

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the ways to authenticate. Guests may read, too, but writing needs a CSRF token."""
        found: list[dict[str, list[str]]] = super().get_auth()
        return found if self.method in SAFE_METHODS else [one for one in found if one]

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """Return the class's name without "Shape"."""
        return self.prefix + type(serializer).__name__.removesuffix("Shape")


def _parameter(
    name: str, schema: Mapping[str, Any], location: Any, **options: Any
) -> OpenApiParameter:
    rest = {key: value for key, value in schema.items() if key != "description"}
    return OpenApiParameter(
        name,
        type=rest,
        location=location,
        description=schema["description"],
        required=location == OpenApiParameter.PATH,
        **options,
    )


class CodeComponent(OpenApiSerializerFieldExtension):
    """A list of texts, as a component: its name is the same in each document."""

    target_class = "django_xcover.api.serializers.fields.CodeField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return a reference to the component."""
        component = ResolvedComponent(
            name=f"{auto_schema.prefix}{self.target.name}",
            type=ResolvedComponent.SCHEMA,
            schema={"type": "string", "enum": list(self.target.values)},
            object=self.target,
        )
        auto_schema.registry.register_on_missing(component)
        reference: dict[str, Any] = component.ref
        return reference


class SessionScheme(OpenApiAuthenticationExtension):
    """The shop's session, with a CSRF token for writing."""

    target_class = "django_xcover.api.base.ShopperSession"
    name = ["session", "csrf"]  # noqa: RUF012 - as the base class has it

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """Return the cookie and the header."""
        return [
            {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
        ]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """Require the token for writing; guests may have no session yet."""
        if auto_schema.method in SAFE_METHODS:
            return {"session": []}
        return {"csrf": []}
