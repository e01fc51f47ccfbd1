"""The withdrawal function: a customer's statement of withdrawal takes effect immediately.

Directive (EU) 2023/2673 (art. 11a of 2011/83/EU) requires two steps that work even if the insurer
is unavailable, and a receipt with the statement's content, date and time on a durable medium. After
the withdrawal period, the same function cancels. My cover, the guest link and the API call it.
"""

from __future__ import annotations

from django_xcover.policies.withdrawal.notices import send_due, sweep
from django_xcover.policies.withdrawal.statements import (
    holder_of,
    link_path,
    may_withdraw,
    prepare,
    read_link,
    withdraw,
)

__all__ = [
    "holder_of",
    "link_path",
    "may_withdraw",
    "prepare",
    "read_link",
    "send_due",
    "sweep",
    "withdraw",
]
