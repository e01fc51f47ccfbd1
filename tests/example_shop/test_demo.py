"""`manage.py demo` with its real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import requests

from example_shop.data_dir import PROJECT
from example_shop.demo import data, plans

pytestmark = pytest.mark.processes
PATIENCE = 90.0


class Demo:
    """A running demo: as a context manager, it is ended with Ctrl-C if it still runs."""

    def __init__(self, folder: Path, *options: str, ordinary: bool = False) -> None:
        self.folder = folder
        self.environment = {**clean_environment(), "XCOVER_DEMO_DIR": str(folder / "data")}
        self.output = folder / "output.txt"
        start = [sys.executable, "-m", "tests.example_shop.ordinary"] if ordinary else []
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*start, sys.executable, "-u", "manage.py", "demo", "--port", "0",
                 "--sandbox-port", "0", *options],
                cwd=PROJECT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def says(self) -> str:
        return self.output.read_text()

    def address(self, of: str) -> str:
        """Return the address it prints, as soon as it does."""
        wait_until(lambda: "is open" in self.says or self.process.poll() is not None)
        found = re.search(rf"{of} +(http://\S+)", self.says)
        assert found, self.says
        return found[1]

    def status(self) -> dict[str, Any]:
        """Return how everything stands, as another process of the same folder knows it."""
        # Until the first sweep all is not well, and the command's exit code says so.
        said = self.manage("xcover_status", "--json", check=False)
        status, _end = json.JSONDecoder().raw_decode(said)
        return dict(status)

    def manage(self, *command: str, check: bool = True) -> str:
        """Return what a command prints that is run beside it, in the same folder."""
        printed = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            check=check,
            text=True,
        )
        return printed.stdout + ("" if check else printed.stderr)

    def settings(self) -> tuple[str, str]:
        """Return where a command's settings have XCover and the shop."""
        script = "from django.conf import settings as s; print(s.XCOVER['ACCOUNTS']['default']"
        printed = self.manage("shell", "-v", "0", "-c", f"{script}['BASE_URL'], s.SHOP_URL)")
        xcover, shop = printed.split()
        return xcover, shop

    def children(self) -> list[int]:
        """Return the processes that it started, by what only they have in their environment."""
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit()
            and int(entry.name) != self.process.pid
            and str(self.folder / "data").encode() in read(entry / "environ")
            and not read(entry / "stat").decode().rpartition(")")[2].startswith(" Z")
        ]

    def child(self, name: str) -> int:
        """Return the one that has `name` among its arguments."""
        # Between spaces where Celery names its processes itself, as it does with setproctitle.
        word = re.compile(rb"[\0 ]" + name.encode() + rb"[\0 ]")
        found: list[int] = []

        def is_there() -> bool:
            found[:] = [
                pid for pid in self.children() if word.search(read(Path(f"/proc/{pid}/cmdline")))
            ]
            return bool(found)

        # Until its program runs, a process has the arguments of the one that started it.
        wait_until(is_there)
        return found[0]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.end()


def clean_environment() -> dict[str, str]:
    ours = ("DJANGO_SETTINGS_MODULE", "XCOVER_", "SHOP_")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile, or is somebody else's
        return b""


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.1)


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_and_nothing_is_started(tmp_path: Path, taken_port: int) -> None:
    with Demo(tmp_path, "--port", str(taken_port)) as demo:
        code = demo.process.wait(PATIENCE)

    assert code == 1
    assert f"Port {taken_port} on 127.0.0.1 cannot be used" in demo.says
    assert "--port 8080" in demo.says
    assert not (tmp_path / "data" / "logs").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--port", "8123", "--sandbox-port", "8123"), "both got 8123"),
        (("--port", "99999"), "Port 99999 does not exist"),
        (("--port", "shop"), "invalid int value: 'shop'"),
    ],
)
def test_ports_that_cannot_be_are_named_and_nothing_is_started(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    with Demo(tmp_path, *options) as demo:
        code = demo.process.wait(PATIENCE)

    assert code != 0
    assert sentence in demo.says
    assert "Traceback" not in demo.says
    assert not (tmp_path / "data" / "logs").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to("/proc/self/nowhere")

    with Demo(tmp_path) as demo:
        code = demo.process.wait(PATIENCE)

    assert code == 1
    assert "cannot write to" in demo.says
    assert "XCOVER_DEMO_DIR" in demo.says
    assert "Traceback" not in demo.says


needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="drops rights of Linux")
FILES = ("shop.sqlite3", "secret-key", "demo.lock", "broker")


@needs_linux
@pytest.mark.parametrize("mode", [0o555, 0o500, 0o000])
@pytest.mark.parametrize("has_key", [False, True])
def test_a_folder_that_is_there_and_cannot_be_written_is_named(
    tmp_path: Path, mode: int, has_key: bool
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    if has_key:
        (folder / "secret-key").write_text("a key of an earlier start")
    folder.chmod(mode)

    says = refused_folder(tmp_path)

    folder.chmod(0o755)
    assert sorted(path.name for path in folder.iterdir()) == ["secret-key"] * has_key
    assert f"cannot write to {folder} (Permission denied: {folder}" in says


@needs_linux
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_user_in_the_folder_is_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / name).touch()
    (folder / name).chmod(0o000)

    says = refused_folder(tmp_path)

    assert f"(Permission denied: {folder / name})" in says


def refused_folder(tmp_path: Path) -> str:
    """Return what a demo says that is refused its folder, in one line."""
    with Demo(tmp_path, ordinary=True) as demo:
        code = demo.process.wait(PATIENCE)
    assert code == 1
    lines = demo.says.splitlines()
    assert len([line for line in lines if line]) == 1, demo.says
    assert "XCOVER_DEMO_DIR=" in demo.says
    return demo.says


@needs_proc
def test_a_second_demo_on_the_folder_says_so_and_the_first_goes_on(tmp_path: Path) -> None:
    with Demo(tmp_path) as first:
        shop = first.address("Shop")
        (tmp_path / "second").mkdir()
        children = first.children()
        second = first.manage("demo", "--port", "0", "--sandbox-port", "0", check=False)

        assert f"A demo already runs on {tmp_path / 'data'} at {shop}" in second
        assert "XCOVER_DEMO_DIR=" in second
        assert len(second.splitlines()) == 1
        assert requests.get(shop, timeout=10).ok
        assert first.children() == children
        first.end(signal.SIGKILL)
        wait_until(lambda: first.children() == [])

    with Demo(tmp_path) as third:
        assert third.address("Shop")


def time_of(sandbox: str) -> datetime:
    """Return the time that the sandbox at this address has."""
    now = requests.get(f"{sandbox}_sandbox/clock", timeout=10).json()["now"]
    return datetime.fromisoformat(now)


@needs_proc
def test_commands_beside_the_demo_find_its_sandbox_until_it_ends(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        shop, sandbox = demo.address("Shop"), demo.address("XCover")

        assert demo.settings() == (f"{sandbox}x", shop.rstrip("/"))
        before = time_of(sandbox)
        shown = demo.manage("xcover_sandbox_clock", "--advance", "400d")
        after = time_of(sandbox)
        assert timedelta(0) <= after - before - timedelta(days=400) < timedelta(minutes=5)
        printed = shown.removeprefix("The sandbox's time is ").strip().removesuffix(".")
        assert timedelta(0) <= after - datetime.fromisoformat(printed) < timedelta(minutes=5)

        # What it wrote is left behind, as after a crash of the machine.
        state = (tmp_path / "data" / "demo.json").read_text()
        demo.end(signal.SIGKILL)
        wait_until(lambda: demo.children() == [])
        (tmp_path / "data" / "demo.json").write_text(state)
        assert demo.settings() == ("http://127.0.0.1:8700/x", "http://127.0.0.1:8000")


def test_what_is_named_in_the_environment_counts_more_than_the_demo(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        demo.address("Shop")
        demo.environment["XCOVER_BASE_URL"] = "https://api.xcover.example/x"

        assert demo.settings()[0] == "https://api.xcover.example/x"


@pytest.mark.skipif(sys.platform == "win32", reason="SO_REUSEADDR means another thing there")
def test_a_free_port_is_kept_for_who_names_it() -> None:
    port = plans.claim_port(0)

    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))


@needs_proc
def test_a_process_that_dies_is_named_and_the_others_end(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        demo.address("Shop")
        worker = demo.child("worker")

        os.kill(worker, signal.SIGKILL)
        code = demo.process.wait(PATIENCE)

    assert code == 1
    assert "The worker ended with code -9." in demo.says
    assert demo.children() == []


@needs_proc
def test_when_the_demo_is_killed_hard_its_processes_end_by_themselves(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        demo.address("Shop")
        assert len(demo.children()) == 4

        demo.end(signal.SIGKILL)

        wait_until(lambda: demo.children() == [])


@needs_proc
def test_the_demo_serves_a_shop_and_ends_cleanly_and_starts_again_on_its_data(
    tmp_path: Path,
) -> None:
    with Demo(tmp_path) as demo:
        shop, sandbox = demo.address("Shop"), demo.address("XCover")
        assert requests.get(sandbox, timeout=10).ok
        assert requests.get(f"{shop}static/shop/shop.css", timeout=10).ok
        assert "Harbour Lights Festival" in requests.get(shop, timeout=10).text
        number = order_with_cover(shop)
        wait_until(lambda: demo.status()["last_sweep"] is not None)
        assert demo.status()["cache"] == "shared"
        assert demo.end() == 0
        assert demo.children() == []
        assert "Nothing is left running." in demo.says

    with Demo(tmp_path) as demo:
        assert number in log_in(demo.address("Shop")).opens("orders/")
        assert demo.end(signal.SIGTERM) == 0
        assert demo.children() == []


def order_with_cover(shop: str) -> str:
    """Buy insured tickets as a shopper would, wait for the policy, return the order's number."""
    robin = log_in(shop)
    robin.sends("products/harbour-lights-festival/", "cart/harbour-lights-festival/add/")
    wait_until(lambda: "Yes, add cover" in robin.opens("xcover/offer/page/"))
    robin.sends("xcover/offer/page/", "xcover/choose/", choice="yes")
    address = robin.sends("checkout/", "checkout/", **DETAILS).removeprefix(shop)
    order = robin.sends(address, address, number="4242424242424242", **CARD).removeprefix(shop)
    wait_until(lambda: "Your cover is booked." in robin.opens(order))
    return order.rstrip("/").rpartition("/")[2]


DETAILS = {
    "first_name": "Robin",
    "last_name": "Ellis",
    "email": "robin@example.com",
    "address": "12 Quay Street",
    "postcode": "BS1 4RW",
    "city": "Bristol",
    "payment": "card",
}
CARD = {"name": "Robin Ellis", "expiry": "12/39", "code": "123"}


class Browser:
    """A shopper's browser without JavaScript."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        self.session = requests.Session()

    def opens(self, page: str) -> str:
        """Return the page's HTML."""
        response = self.session.get(self.shop + page, timeout=10)
        response.raise_for_status()
        return response.text

    def sends(self, page: str, form: str, **fields: str) -> str:
        """Open a page, send its form with that address and return where this leads."""
        html = self.opens(page)
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
        values = {"quantity": "2", **dict(hidden), "next": "/checkout/", **fields}
        response = self.session.post(self.shop + form, values, timeout=10)
        response.raise_for_status()
        return response.url


def log_in(shop: str) -> Browser:
    browser = Browser(shop)
    login = {"username": data.SHOPPER.username, "password": data.SHOPPER.password}
    browser.sends("accounts/login/", "accounts/login/", **login)
    assert "My orders" in browser.opens("")
    return browser
