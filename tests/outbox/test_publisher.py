"""Handing work to a broker that may be away, slow or silent."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

import pytest

from django_xcover.outbox import publisher as publishing
from django_xcover.outbox.publisher import Publisher

pytestmark = pytest.mark.every_engine


def test_a_silent_broker_holds_nobody(caplog: pytest.LogCaptureFixture) -> None:
    answer, reached = threading.Event(), threading.Event()
    sent: list[int] = []

    def send(pk: int) -> None:
        reached.set()
        answer.wait(30)
        sent.append(pk)

    publisher = Publisher(send)
    assert publisher.offer(1)
    assert publisher.offer(2)
    assert reached.wait(5)
    assert sent == []
    assert not publisher.flush(0.01)

    answer.set()
    assert publisher.flush(5)
    assert sent == [1, 2]


def test_a_broker_that_fails_is_logged_and_tried_with_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[int] = []

    def send(pk: int) -> None:
        if pk == 1:
            raise OSError("amqp://user:password@host refused")
        sent.append(pk)

    publisher = Publisher(send)
    with caplog.at_level(logging.WARNING):
        publisher.offer(1)
        publisher.offer(2)
        assert publisher.flush(5)

    assert sent == [2]
    assert "Operation 1 was not published (OSError)" in caplog.text
    assert "password" not in caplog.text


def test_too_much_is_left_to_the_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "BACKLOG", 1)
    answer, reached = threading.Event(), threading.Event()

    def send(pk: int) -> None:
        reached.set()
        answer.wait(30)

    publisher = Publisher(send)
    assert publisher.offer(1)
    assert reached.wait(5)
    assert publisher.offer(2)
    assert not publisher.offer(3)
    answer.set()
    assert publisher.flush(5)


def test_a_forked_process_publishes_with_a_thread_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []
    publisher = Publisher(lambda pk: threads.append(threading.get_ident()))
    publisher.offer(1)
    assert publisher.flush(5)

    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)
    publisher.offer(2)
    assert publisher.flush(5)

    assert len(set(threads)) == 2


def test_a_thread_that_could_not_start_once_is_started_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []
    publisher = Publisher(sent.append)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            publisher.offer(1)

    publisher.offer(2)

    assert publisher.flush(5)
    assert sent == [2]


def refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks on Windows")
def test_a_fork_while_another_thread_offers_leaves_the_child_free_to_publish() -> None:
    publisher = Publisher(lambda pk: None)
    publisher.offer(1)
    assert publisher.flush(5)
    # As another thread holds them at the moment of the fork.
    with publisher._lock, publisher._waiting.mutex:
        child = os.fork()
        if not child:
            os._exit(0 if ends(lambda: publisher.flush() and publisher.offer(2)) else 1)

    assert os.waitpid(child, 0)[1] == 0


def ends(act: Callable[[], object]) -> bool:
    """Act in a thread and return whether it comes to an end."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()
