"""How answers look on the wire: the 2021 shapes of the recorded traffic."""

from __future__ import annotations
