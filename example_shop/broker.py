"""kombu's filesystem broker, with messages that appear atomically.

kombu opens the final file and then writes: a worker that polls in between reads an empty message
and ends with a JSONDecodeError (kombu 5.7, tried by putting an empty file there). With a poll every
0.2 s that happens about once in some thousand messages.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class FolderChannel(filesystem.Channel):
    """Writes each message to a temporary file and renames it, which is atomic."""

    def _put(  # type: ignore[override]  # kombu's classes disagree about the names
        self, queue: str, message: Any, **kwargs: Any
    ) -> None:
        # kombu matches a queue's messages by the name after the first dot.
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        draft = Path(self.data_folder_out, f"{name}.draft")
        draft.write_bytes(str_to_bytes(dumps(message)))
        draft.rename(draft.with_suffix(""))


class FolderTransport(filesystem.Transport):
    """The transport for Celery's `broker_transport`."""

    Channel = FolderChannel
