"""PUBLIC: the XCover API over HTTP, without Django models or settings."""

from __future__ import annotations

from django_xcover.client.api import XCoverClient
from django_xcover.client.errors import (
    AuthenticationFailed,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    HeldBack,
    InvalidPayload,
    Locked,
    NotFound,
    NoTimeLeft,
    RequestRefused,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
    ValidationFailed,
    XCoverError,
)
from django_xcover.client.responses import Answer
from django_xcover.client.schemas.packages import package_from_wire

__all__ = [
    "Answer",
    "AuthenticationFailed",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "HeldBack",
    "InvalidPayload",
    "Locked",
    "NoTimeLeft",
    "NotFound",
    "RequestRefused",
    "ServerFault",
    "Throttled",
    "UnexpectedAnswer",
    "ValidationFailed",
    "XCoverClient",
    "XCoverError",
    "package_from_wire",
]
