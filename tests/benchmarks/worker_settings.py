"""Settings of the worker whose memory is measured: a storm's, in calm weather.

PostgreSQL, a real broker and a cache that processes share, as `tests.chaos` has them. The rate
limit is out of the way, because what is measured is not how long the worker waits for its turn.
"""

from __future__ import annotations

from tests.chaos.settings import *  # noqa: F403
from tests.chaos.settings import XCOVER as STORM

ACCOUNT = {**STORM["ACCOUNTS"]["default"], "SALES_RATE": 1e6, "OTHER_RATE": 1e6}
XCOVER = {
    "ADAPTER": "tests.processes.steps.Adapter",
    "ACCOUNTS": {"default": ACCOUNT},
    # The defaults of what a storm shortens: nobody is killed here.
    "OFFER_DEADLINE": 10.0,
}
