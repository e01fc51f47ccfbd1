"""Insurance opt-out (Quotes API: opt-out)."""

from __future__ import annotations

from django_xcover.sandbox import datetimes, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.validation import Field, clean, metadata

FIELDS = {"partner_metadata": Field(metadata, null=True)}


def opt_out(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/opt_out: 204, by package id or by fast-quote id.

    Recorded: the package becomes OPTED_OUT, its quotes stay RECEIVED, no timestamp changes.
    """
    if _opted_out_of_fast_quote(inquiry):
        return Answer(204)
    package = inquiry.package()
    data = clean(inquiry.payload, FIELDS)
    package.status = transitions.moved(package.status, "opt_out")
    package.partner_metadata |= data.get("partner_metadata") or {}
    inquiry.save(package)
    return Answer(204)


def _opted_out_of_fast_quote(inquiry: Inquiry) -> bool:
    at = datetimes.stamp(inquiry.world.clock.now())
    changed = inquiry.world.store.rows(
        "UPDATE fast_quote SET opted_out = ? WHERE id = ? AND partner = ? RETURNING id",
        (at, inquiry.ids["package"], inquiry.partner),
    )
    return bool(changed)
