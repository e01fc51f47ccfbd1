"""What a storm needs of the machine, named in one sentence before anything is started."""

from __future__ import annotations

import importlib.util
import os
import socket

MODULES = ("psycopg", "gunicorn", "celery")
SERVERS = {
    "postgresql": int(os.environ.get("PGPORT", "5432")),
    "rabbitmq": 5672,
    "redis": 6379,
}


def what_is_missing(broker: str) -> str:
    """Return the sentence, "" when nothing is missing."""
    modules = [*MODULES, *(["redis"] if broker == "redis" else [])]
    gone = [name for name in modules if importlib.util.find_spec(name) is None]
    silent = [name for name in ("postgresql", broker) if not _answers(SERVERS[name])]
    wants = [f"the Python package {name}" for name in gone]
    wants += [f"{name} on 127.0.0.1:{SERVERS[name]}" for name in silent]
    if not wants:
        return ""
    install = ' (pip install -e ".[test,engines]")' if gone else ""
    return f"The storm cannot run without {' and '.join(wants)}{install}."


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
