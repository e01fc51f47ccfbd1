"""A database of the run's own, gone when it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import setup_test_environment, teardown_test_environment


@contextmanager
def own_database() -> Iterator[None]:
    """Make the tables in a database that no other process uses; PostgreSQL only."""
    if connection.vendor != "postgresql":
        raise SystemExit("These figures are of PostgreSQL: unset XCOVER_DATABASE.")
    setup_test_environment()
    name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"xcover_figures_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()
