"""Statuses as coloured badges. The text says it all; the colour only helps to find it."""

from __future__ import annotations

from typing import Final

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.models import (
    Attention,
    Cancellation,
    Choice,
    Decision,
    Hold,
    Instalment,
    Modification,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Renewal,
    Status,
)
from django_xcover.services.next_steps import is_overdue, was_refused

GOOD: Final = "good"
WAITING: Final = "waiting"
BAD: Final = "bad"
PLAIN: Final = "plain"

TONES: dict[str, str] = {
    Status.CONFIRMED: GOOD,
    Status.RENEWED: GOOD,
    Status.PENDING_PAYMENT: WAITING,
    Status.FAILED: BAD,
    OperationState.DONE: GOOD,
    OperationState.PENDING: WAITING,
    OperationState.RUNNING: WAITING,
    OperationState.NEEDS_PERSON: BAD,
    Choice.ACCEPTED: GOOD,
    Cancellation.State.DRAFT: WAITING,
    Cancellation.State.PREVIEWED: WAITING,
    Cancellation.State.REQUESTED: WAITING,
    Cancellation.State.CONFIRMED: GOOD,
    Cancellation.State.REFUSED: BAD,
    Modification.State.QUOTED: WAITING,
    Renewal.State.DUE: WAITING,
    Renewal.State.PAID: WAITING,
    Renewal.State.OPTING_OUT: WAITING,
    Instalment.Status.PAID: GOOD,
    Hold.State.LIVE: WAITING,
    Hold.State.NO_ORDER: BAD,
    Hold.State.TAKEN: GOOD,
    Hold.State.NOT_COVERED: BAD,
}
# Few words for a column; the title says it in full.
ATTENTION = {
    Attention.PRICE_DIFFERS.value: _("price differs"),
    Attention.POLICY_MISSING.value: _("policy missing"),
    Attention.STATUS_UNEXPECTED.value: _("status unexpected"),
    Attention.PAYMENT_OVERDUE.value: _("payment overdue"),
    Attention.BOOKING_FAILED.value: _("booking failed"),
    Attention.CANCELLATION_REFUSED.value: _("not cancelled"),
    Attention.REFUND_UNCLEAR.value: _("refund unclear"),
    Attention.CHANGE_REFUSED.value: _("not changed"),
    Attention.RENEWED_ANYWAY.value: _("renewed anyway"),
    Attention.HELD_WITHOUT_ORDER.value: _("no order came"),
    Attention.CHARGED_WITHOUT_COVER.value: _("charged, not covered"),
    Attention.NOT_CHARGED.value: _("not charged?"),
}
STATUS_NAMES = {status.value: status.label for status in Status}
INSTALMENT_NAMES = {status.value: status.label for status in Instalment.Status}


def badge(text: object, tone: str) -> SafeString:
    """Return `text` (escaped) as a badge."""
    return format_html('<span class="xcover-badge xcover-badge-{}">{}</span>', tone, text)


def status_badge(row: QuotePackage | Quote) -> SafeString:
    """Return the badge of XCover's status, also of one that we have no name for."""
    return badge(STATUS_NAMES.get(row.status, row.status), TONES.get(row.status, PLAIN))


def state_badge(row: Operation | Cancellation | Modification | Renewal) -> SafeString:
    """Return the badge of how far an operation or a workflow is."""
    if isinstance(row, Operation) and row.given_up:
        return badge(_("given up"), BAD)
    if isinstance(row, Operation) and was_refused(row):
        return badge(_("refused by XCover"), BAD)
    return badge(row.get_state_display(), TONES.get(row.state, PLAIN))


def instalment_badge(row: Instalment) -> SafeString:
    """Return the badge of an instalment's status, beside it that it is overdue."""
    name = INSTALMENT_NAMES.get(row.status, row.status)
    shown = badge(name, TONES.get(row.status, PLAIN))
    if not is_overdue(row, timezone.now()):
        return shown
    return format_html("{} {}", shown, badge(_("overdue"), BAD))


def hold_badge(row: Hold) -> SafeString:
    """Return the badge of what became of a frozen premium."""
    return badge(row.state.label, TONES.get(row.state, PLAIN))


def choice_badge(row: Quote | Decision) -> SafeString | str:
    """Return the badge of the shopper's answer, "" for none."""
    return badge(row.get_choice_display(), TONES.get(row.choice, PLAIN)) if row.choice else ""


def attention_badge(package: QuotePackage) -> SafeString | str:
    """Return the badge of what a person should look at, "" for nothing."""
    if not package.attention:
        return ""
    return _brief(package.attention, package.get_attention_display())


def flag_badges(package: QuotePackage) -> SafeString:
    """Return a badge for each open flag; the flags should be prefetched."""
    flags = [flag for flag in package.flags.all() if flag.is_open]
    badges = ((_brief(flag.reason, flag.get_reason_display()),) for flag in flags)
    return format_html_join(" ", "{}", badges)


def _brief(reason: str, in_full: str) -> SafeString:
    return format_html(
        '<span class="xcover-badge xcover-badge-bad" title="{}">{}</span>',
        in_full,
        ATTENTION.get(reason, reason),
    )
