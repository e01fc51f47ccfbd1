"""`python -m tests.benchmarks.waiting`: what shoppers get at XCover's real speed.

The example shop under gunicorn with four synchronous workers and default settings, and the local
XCover in a process of its own. Shoppers look as the script does.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

SHOPPERS = 40
PRODUCT = "harbour-lights-festival"
OFFER = "/xcover/offer/"
# As in xcover.js.
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 0.3, 1.4, 3.0
PREPARE = "import django; django.setup(); from example_shop.demo import data; data.fill()"


@dataclass(frozen=True)
class Ground:
    """Where shop and local XCover listen."""

    shop: str
    xcover: str

    def control(self, what: str, **asked: Any) -> None:
        requests.post(f"{self.xcover}/_sandbox/{what}", json=asked, timeout=10).raise_for_status()

    def calm(self) -> None:
        """End all faults and delays."""
        requests.delete(f"{self.xcover}/_sandbox/faults", timeout=10)
        self.control("latency", latency="none")

    def shopper(self) -> requests.Session:
        """Return a shopper with a ticket in the cart."""
        session = requests.Session()
        session.get(f"{self.shop}/products/{PRODUCT}/", timeout=60)
        form = {"csrfmiddlewaretoken": session.cookies["csrftoken"], "quantity": "1"}
        session.post(f"{self.shop}/cart/{PRODUCT}/add/", form, timeout=60).raise_for_status()
        return session

    def look(self, session: requests.Session) -> tuple[int, float, list[float]]:
        """Look as the script does; return the last status, the wait and each request's time."""
        began, address, pause, times = time.monotonic(), OFFER, FIRST_PAUSE, []
        while True:
            sent = time.monotonic()
            answer = session.get(self.shop + address, timeout=60)
            times.append(time.monotonic() - sent)
            if answer.status_code != 202 or pause >= LONGEST_PAUSE:
                return answer.status_code, time.monotonic() - began, times
            address = answer.headers["Location"]
            time.sleep(pause)
            pause *= GROWTH


def together(work: Callable[[], None], times: int, pause: float) -> None:
    """Begin `work` so many times with a pause between, and wait for the last."""
    threads = [threading.Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
        time.sleep(pause)
    for thread in threads:
        thread.join()


def shown(ground: Ground, pause: float) -> dict[str, Any]:
    """Return how many of forty shoppers, one every `pause` seconds, see an offer."""
    ground.control("latency", latency="recorded", seed=1)
    sessions = [ground.shopper() for _ in range(SHOPPERS)]
    looks: list[tuple[int, float, list[float]]] = []
    together(lambda: looks.append(ground.look(sessions.pop())), SHOPPERS, pause)
    waits = [wait for _, wait, _ in looks]
    return {
        "seconds_between": pause,
        "shown": sum(status == 200 for status, _, _ in looks),
        "of": SHOPPERS,
        "median_wait_ms": _ms(statistics.median(waits)),
        "longest_wait_ms": _ms(max(waits)),
        "requests_each": round(statistics.mean(len(times) for _, _, times in looks), 1),
    }


def busy(ground: Ground) -> dict[str, Any]:
    """Return how long another page takes while forty shoppers wait for slow offers."""
    ground.calm()
    alone = _pages(ground, lambda: time.monotonic() > until, until := time.monotonic() + 3)
    sessions = [ground.shopper() for _ in range(SHOPPERS)]
    ground.control("latency", latency="2.5")
    looks: list[tuple[int, float, list[float]]] = []
    crowd = threading.Thread(
        target=together, args=(lambda: looks.append(ground.look(sessions.pop())), SHOPPERS, 0.05)
    )
    crowd.start()
    meanwhile = _pages(ground, lambda: not crowd.is_alive(), 0)
    ground.calm()
    return {
        "page_alone_median_ms": _ms(statistics.median(alone)),
        "page_meanwhile_median_ms": _ms(statistics.median(meanwhile)),
        "page_meanwhile_longest_ms": _ms(max(meanwhile)),
        "pages": len(meanwhile),
        "shown": sum(status == 200 for status, _, _ in looks),
        "of": SHOPPERS,
    }


def dead(ground: Ground) -> dict[str, Any]:
    """Return what a vendor that answers nothing costs: the first shoppers, and those after them."""
    ground.calm()
    ground.control("faults", operation="*", kind="hang", times=None, seconds=60)
    sessions = [ground.shopper() for _ in range(SHOPPERS)]
    first: list[float] = []
    together(lambda: first.append(ground.look(sessions.pop())[1]), 16, 0.1)
    after = [ground.look(sessions.pop()) for _ in range(20)]
    ground.calm()
    quick = [times[0] for _, _, times in after if len(times) == 1]
    page = [_get(ground, "/cart/") for _ in range(20)]
    return {
        "first_longest_wait_ms": _ms(max(first)),
        "after_median_ms": _ms(statistics.median(quick)),
        "after_that_waited": len(after) - len(quick),
        "cart_page_median_ms": _ms(statistics.median(page)),
    }


def _pages(ground: Ground, is_over: Callable[[], bool], _until: float) -> list[float]:
    times = []
    while not is_over():
        times.append(_get(ground, "/"))
        time.sleep(0.05)
    return times


def _get(ground: Ground, path: str) -> float:
    sent = time.monotonic()
    requests.get(ground.shop + path, timeout=60).raise_for_status()
    return time.monotonic() - sent


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@contextmanager
def processes() -> Iterator[Ground]:
    """Run shop and local XCover for the length of a block."""
    shop, xcover = _free_port(), _free_port()
    ground = Ground(f"http://127.0.0.1:{shop}", f"http://127.0.0.1:{xcover}")
    with tempfile.TemporaryDirectory() as folder:
        where = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.waiting_settings",
            "WAITING_DIR": folder,
            "XCOVER_BASE_URL": f"{ground.xcover}/x",
        }
        python = [sys.executable, "-m"]
        subprocess.run([*python, "django", "migrate", "-v", "0"], env=where, check=True)
        subprocess.run([sys.executable, "-c", PREPARE], env=where, check=True)
        serve = [
            "gunicorn",
            "--workers",
            "4",
            "--bind",
            f"127.0.0.1:{shop}",
            "--log-level",
            "error",
        ]
        commands = (
            [*python, "django", "xcover_sandbox", "--port", str(xcover)],
            [*python, *serve, "example_shop.wsgi:application"],
        )
        log = Path(folder, "log").open("wb")  # noqa: SIM115 - closed when the children have ended
        children = [subprocess.Popen(c, env=where, stdout=log, stderr=log) for c in commands]
        try:
            for url in (ground.xcover, ground.shop):
                _wait_for(url)
            yield ground
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(30)
            log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"Nothing answers at {url}.")


def main() -> None:
    """Measure what is asked for and print it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.waiting", description=__doc__)
    parser.add_argument("what", nargs="*", default=["1", "6", "busy", "dead"])
    for what in parser.parse_args().what:
        with processes() as ground:
            measured = {"busy": busy, "dead": dead}.get(what)
            figures = measured(ground) if measured else shown(ground, float(what))
        sys.stdout.write(json.dumps({what: figures}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
