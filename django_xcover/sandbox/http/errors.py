"""Errors in the format of XCover's responses (Quotes API: error body)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4


class ApiError(Exception):
    """The sandbox refuses the request, with this status and body."""

    def __init__(
        self, status: int, kind: str, message: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, Any] = {"type": kind, "message": message}


class Invalid(ApiError):
    """422. `errors` is an object, a nested object or a list of messages."""

    def __init__(self, errors: Any) -> None:
        super().__init__(422, "validation_error", "An API error occurred.")
        self.errors = errors
        self.body["errors"] = errors


def second_version(refused: ApiError) -> dict[str, Any]:
    """Return the body that the header `X-API-Error-Version: v2` selects.

    Seen in 2026: its keys. Inferred: the code, and that the error of a field includes its path.
    """
    errors = getattr(refused, "errors", None)
    details = list(_details(errors)) if errors is not None else []
    return {
        "code": refused.body["type"],
        "error_id": str(uuid4()),
        "metadata": {},
        "errors": details or [_detail(refused.body["message"], refused.body["type"])],
    }


def _details(node: Any, path: str = "") -> Iterator[dict[str, Any]]:
    if isinstance(node, dict) and "message" in node and "type" in node:
        yield _detail(node["message"], node["type"])
    elif isinstance(node, dict):
        for name, below in node.items():
            yield from _details(below, f"{path}.{name}" if path else str(name))
    elif isinstance(node, list):
        for below in node:
            yield from _details(below, path)
    else:
        yield _detail(f"{path}: {node}" if path else str(node), "validation_error")


def _detail(text: str, code: str) -> dict[str, Any]:
    return {"product_config_id": None, "quote_id": None, "code": code, "details": [text]}


class StatusRefused(Invalid):
    """422 for an action that the package's status does not allow (message captured in 2026)."""

    def __init__(self, status: str) -> None:
        super().__init__([f"Status change not allowed for QuotePackage in status {status}"])


def unauthorized() -> ApiError:
    """Return 401. Inferred: the body; the oldest SDK maps 401 to this message."""
    return ApiError(401, "auth_error", "Authorization is required")


def forbidden() -> ApiError:
    """Return 403 with the body captured for a wrong secret in 2026."""
    return ApiError(403, "auth_error", "You do not have permission to access this url")


def package_not_found() -> ApiError:
    """Return 404 with the body captured for an unknown package in 2026."""
    return ApiError(404, "api_error", "Quote package does not exist")


def not_found(message: str = "Not found.") -> ApiError:
    """Return 404. Inferred: everything but a package has Django REST framework's message."""
    return ApiError(404, "api_error", message)


def method_not_allowed(method: str) -> ApiError:
    """Return 405. Inferred: never recorded; this is Django REST framework's message."""
    return ApiError(405, "api_error", f'Method "{method}" not allowed.')


def locked() -> ApiError:
    """Return 423. Inferred: the body; the specification names only "Resource is locked"."""
    return ApiError(423, "api_error", "Resource is locked")


def throttled(seconds: int) -> ApiError:
    """Return 429 with the message captured in 2026. Inferred: its type."""
    unit = "second" if seconds == 1 else "seconds"
    return ApiError(
        429,
        "api_error",
        f"Request was throttled. Expected available in {seconds} {unit}.",
        headers={"Retry-After": str(seconds)},
    )
