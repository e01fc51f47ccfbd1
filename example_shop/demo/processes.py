"""Start processes, wait until they answer, and stop them all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from example_shop.data_dir import PROJECT

PATIENCE = 60.0
GRACE = 20.0


class ProcessFailed(Exception):
    """A process ended or never answered; `str()` names it and ends with its last output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A process to start: `python -m` + `command`. `answers` returns whether it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    answers: Callable[[], bool]


class Child:
    """One running process, with its output in a file."""

    def __init__(self, plan: Plan, logs: Path) -> None:
        self.plan = plan
        self.log = logs / f"{plan.name}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 (our own command)
                [sys.executable, "-m", "example_shop.demo.child", *plan.command],
                cwd=PROJECT,
                env={**os.environ, **plan.environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,  # never written to: closing it is the signal to stop
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches a whole session. Only the demo should get it, and stop the others.
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise ProcessFailed if the process has ended."""
        code = self.process.poll()
        if code is not None:
            raise ProcessFailed(
                f"The {self.plan.name} ended with code {code}. {self._last_words()}"
            )

    def wait_until_it_answers(self, stop: threading.Event) -> None:
        """Return once it answers or `stop` is set; raise ProcessFailed on timeout."""
        deadline = time.monotonic() + PATIENCE
        while not stop.is_set() and not self.plan.answers():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessFailed(f"The {self.plan.name} does not answer. {self._last_words()}")
            stop.wait(0.1)

    def ask_to_end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()

    def wait_for_end(self, seconds: float) -> None:
        """Wait for the process to end, and kill it if it doesn't."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill()
        if self.process.stdin:
            self.process.stdin.close()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"The end of {self.log}:", *lines])


class Family:
    """The processes of one demo; as a context manager, it stops them at the end."""

    def __init__(self, logs: Path, stop: threading.Event) -> None:
        self.logs = logs
        self.stop = stop
        self.children: list[Child] = []

    def start(self, plans: Iterable[Plan]) -> None:
        """Start all, then wait until each one answers."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.children += [Child(plan, self.logs) for plan in plans]
        for child in self.children:
            child.wait_until_it_answers(self.stop)

    def watch(self) -> None:
        """Return once `stop` is set; raise ProcessFailed as soon as a process ends."""
        while not self.stop.wait(0.5):
            for child in self.children:
                child.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + GRACE
        for child in self.children:
            child.ask_to_end()
        for child in self.children:
            child.wait_for_end(max(0.1, deadline - time.monotonic()))


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on Ctrl-C and SIGTERM."""

    def handler(*args: Any) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
