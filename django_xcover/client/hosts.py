"""Whose plain http is nobody else's to read."""

from __future__ import annotations

import ipaddress


def is_this_machine(host: str | None) -> bool:
    """Return whether a URL's host is this machine whatever a name server says."""
    if host == "localhost" or (host or "").endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
