"""The bodies of responses, in the 2021 format of the recorded traffic."""

from __future__ import annotations
