"""The broker in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from example_shop.broker import FolderTransport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "messages").mkdir()
    return tmp_path


# kombu remembers declared queues for the whole process, so each test has a queue of its own.
def connect(folder: Path) -> Connection:
    messages, control = str(folder / "messages"), str(folder / "control")
    options = {"data_folder_in": messages, "data_folder_out": messages, "control_folder": control}
    return Connection(
        "filesystem://localhost//", transport=FolderTransport, transport_options=options
    )


def test_a_message_never_lies_half_written_where_a_worker_looks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    write = Path.write_bytes

    def look_then_write(path: Path, content: bytes) -> int:
        size = write(path, content[:3])  # a worker looks while only a part is there
        seen.append(connection.SimpleQueue("whole").qsize())
        write(path, content)
        return size

    with connect(folder) as connection:
        queue = connection.SimpleQueue("whole")
        monkeypatch.setattr(Path, "write_bytes", look_then_write)
        queue.put({"pk": 1})
        monkeypatch.undo()

        assert seen == [0]
        assert queue.get(block=False).payload == {"pk": 1}


def test_messages_come_in_the_order_they_were_sent(folder: Path) -> None:
    with connect(folder) as connection:
        queue = connection.SimpleQueue("ordered")
        for number in range(5):
            queue.put(number)

        assert [queue.get(block=False).payload for _ in range(5)] == [0, 1, 2, 3, 4]
