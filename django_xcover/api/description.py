"""What each method of the API answers, as data for the OpenAPI document.

It is read only when a document is generated (`django_xcover.api.openapi`), so serving the API
doesn't need drf-spectacular.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rest_framework.serializers import Serializer

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One operation. `answers` has the shape of each success, or a sentence for an empty body.

    `query` has the JSON schema of each query parameter, with its description. `takes` lists the
    shapes of the request's body, any one of them; () for none. `headers` names the headers of each
    success.
    """

    operation: str
    answers: Mapping[int, type[Serializer[Any]] | str]
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    takes: tuple[type[Serializer[Any]], ...] = ()
    headers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def describes(
    operation: str, answers: Mapping[int, Any], **more: Any
) -> Callable[[Method], Method]:
    """Decorate a view's method with its `Description`."""

    def decorate(method: Method) -> Method:
        method.description = Description(  # type: ignore[attr-defined]
            operation=operation, answers=answers, **more
        )
        return method

    return decorate
