"""The client of an account."""

from __future__ import annotations

import os
from functools import lru_cache

from django_xcover.client import XCoverClient
from django_xcover.clients import rate_limits
from django_xcover.conf import Account, get_config


def client_for(account: str) -> XCoverClient:
    """Return this process's client for the account named `account`.

    There is one client, and so one connection pool, per process and credentials. Raise
    ImproperlyConfigured for an unknown account and ConfigurationError for unusable credentials.
    """
    config = get_config()
    return _client(config.account(account), config.booking_deadline, os.getpid())


@lru_cache(maxsize=64)
def _client(account: Account, booking_deadline: float, pid: int) -> XCoverClient:
    # The pid is part of the cache key, because a worker forked from a process with open connections
    # must not write into its parent's sockets.
    return XCoverClient(
        base_url=account.base_url,
        partner_code=account.partner_code,
        api_key=account.api_key,
        api_secret=account.api_secret,
        algorithm=account.algorithm,
        signed_headers=account.signed_headers,
        booking_deadline=booking_deadline,
        limiter=rate_limits.limiter_of(account),
    )
