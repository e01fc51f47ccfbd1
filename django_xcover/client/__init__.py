"""PUBLIC: a client for the XCover API that needs neither Django models nor settings."""

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
from django_xcover.client.responses import Response
from django_xcover.client.schemas.packages import package_from_wire

__all__ = [
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
    "Response",
    "ServerFault",
    "Throttled",
    "UnexpectedAnswer",
    "ValidationFailed",
    "XCoverClient",
    "XCoverError",
    "package_from_wire",
]
