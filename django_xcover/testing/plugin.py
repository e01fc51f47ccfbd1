"""The pytest plugin, which is installed with the package and provides `xcover_sandbox`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django_xcover.sandbox import Sandbox


@pytest.fixture
def xcover_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Yield a fresh local XCover that answers all calls of the default account, in-process.

    It uses the partner code, key and secret of the `XCOVER` setting, so it checks signatures.
    Requires the extra `[sandbox]`.
    """
    # Imported here, so that the plugin costs nothing in test runs that do not use it.
    import requests  # noqa: PLC0415
    from django.core.cache.backends.locmem import LocMemCache  # noqa: PLC0415

    from django_xcover.client import XCoverClient  # noqa: PLC0415
    from django_xcover.clients import cache as shared_cache  # noqa: PLC0415
    from django_xcover.clients import factory  # noqa: PLC0415
    from django_xcover.conf import DEFAULT_ACCOUNT, get_config  # noqa: PLC0415
    from django_xcover.sandbox import Sandbox  # noqa: PLC0415
    from django_xcover.sandbox.http.adapter import mount  # noqa: PLC0415

    account = get_config().account(DEFAULT_ACCOUNT)
    sandbox = Sandbox(
        partner_code=account.partner_code,
        api_key=account.api_key,
        api_secret=account.api_secret,
    )
    with requests.Session() as session:
        mount(session, account.base_url, sandbox)
        client = XCoverClient(
            base_url=account.base_url,
            partner_code=account.partner_code,
            api_key=account.api_key,
            api_secret=account.api_secret,
            algorithm=account.algorithm,
            signed_headers=account.signed_headers,
            backoff=0,
            session=session,
        )
        monkeypatch.setattr(factory, "client_for", lambda name: client)
        # A separate cache, so that refusals and open circuits of other tests have no effect.
        cache = LocMemCache(f"xcover-{id(sandbox)}", {})
        cache.clear()
        memory = shared_cache.Memory(lambda: cache)
        monkeypatch.setattr(shared_cache, "memory", memory)
        yield sandbox
    sandbox.close()
