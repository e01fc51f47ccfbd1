"""What a worker's memory does over ten thousand operations.

The worker is Celery's, a process of its own as in production: on PostgreSQL and RabbitMQ, with the
local XCover in another process, and never replaced by a fresh one (no `max-tasks-per-child`). This
process is the shop: it sells, and reads from /proc how large worker and children are.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import django
import requests

from example_shop.demo.processes import Child, Family, Plan
from tests.chaos.ground import Ground, own_ground

SETTINGS = "tests.benchmarks.worker_settings"
# How much of the run a worker is given to load what it needs, and its caches to fill.
WARM_UP = 0.2
# What memory does by itself, of what there is after the warm-up.
NOISE = 0.03
POOLS = {"prefork": ("prefork", 1), "threads": ("threads", 4)}
Series = list[tuple[int, float]]


def main(*, count: int, pool: str) -> int:
    """Measure and print; return 1 when the worker grows."""
    with own_ground("rabbitmq") as ground:
        os.environ.update(_environment(ground))
        django.setup()
        series = [_show(done, mib) for done, mib in _measure(ground, count, pool)]
    growth, allowed = judge(series)
    verdict = "holds" if growth <= allowed else "BROKEN"
    sys.stdout.write(
        f"{pool}: {growth:+.1f} MiB after the warm-up, ≤ {allowed:.1f} MiB {verdict}\n"
    )
    return int(growth > allowed)


def judge(series: Series) -> tuple[float, float]:
    """Return by how much the worker has grown after its warm-up, and what is noise (MiB).

    The medians of the first and of the last third of what follows the warm-up are compared, because
    a single reading depends on what the worker does just then.
    """
    sizes = [mib for _, mib in series][int(len(series) * WARM_UP) :]
    third = max(len(sizes) // 3, 1)
    before, after = median(sizes[:third]), median(sizes[-third:])
    return after - before, before * NOISE


def _show(done: int, mib: float) -> tuple[int, float]:
    sys.stdout.write(f"{done:>6} operations {mib:>8.1f} MiB\n")
    sys.stdout.flush()
    return done, mib


def _measure(ground: Ground, count: int, pool: str) -> Iterator[tuple[int, float]]:
    from django.core.management import call_command

    import example_shop.celery  # noqa: F401 - the app that hands operations to the broker
    from tests.benchmarks.feeding import feed

    call_command("migrate", verbosity=0)
    with _processes(ground, pool) as worker:
        for done in feed(until=count, alive=worker.check):
            yield done, _mib(worker.process.pid)


@contextmanager
def _processes(ground: Ground, pool: str) -> Iterator[Child]:
    with Family(ground.directory / "logs", threading.Event()) as family:
        family.start((_sandbox(ground), _worker(ground, pool)))
        yield family.children[-1]


def _environment(ground: Ground) -> dict[str, str]:
    return {**ground.environment(direct=True), "DJANGO_SETTINGS_MODULE": SETTINGS}


def _sandbox(ground: Ground) -> Plan:
    command = ("django", "xcover_sandbox", "--port", str(ground.xcover_port))
    where = ("--database", str(ground.directory / "xcover.sqlite3"))
    return Plan(
        name="sandbox",
        command=(*command, "--site-url", ground.xcover_url, *where),
        environment=_environment(ground),
        answers=lambda: _answers(f"{ground.xcover_url}/_sandbox/clock"),
    )


def _worker(ground: Ground, pool: str) -> Plan:
    kind, concurrency = POOLS[pool]
    command = ("celery", "-A", "example_shop", "worker", "--pool", kind, "-c", str(concurrency))
    return Plan(
        name="worker",
        command=(*command, "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
        environment=_environment(ground),
        answers=lambda: True,
    )


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False


def _mib(pid: int) -> float:
    """Return the resident memory of a process and of its children."""
    pids = [pid, *_children(pid)]
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found]
