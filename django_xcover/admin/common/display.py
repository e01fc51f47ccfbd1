"""Badges, links, amounts and other display values of the admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common.redaction import pretty, redact_text
from django_xcover.formats import format_amount
from django_xcover.models import (
    BOOKED,
    Attention,
    Cancellation,
    Choice,
    Decision,
    Flag,
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
from django_xcover.policies import documents
from django_xcover.support.failure_texts import in_plain_words, without_words
from django_xcover.support.next_steps import is_overdue, moment, was_refused
from django_xcover.types import Money

GOOD: Final = "good"
WAITING: Final = "waiting"
BAD: Final = "bad"
PLAIN: Final = "plain"

TONES: dict[str, str] = {
    Status.CONFIRMED: GOOD,
    Status.RENEWED: GOOD,
    Status.PENDING_PAYMENT: WAITING,
    Status.FAILED: BAD,
    Status.RECEIVED: PLAIN,
    Status.CANCELLED: PLAIN,
    Status.OPTED_OUT: PLAIN,
    Status.DELETED: PLAIN,
    Status.EXPIRED: PLAIN,
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
# Short texts for a column; the badge's title has the full text.
ATTENTION = {
    Attention.TERMS_DIFFER.value: _("terms differ"),
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
    Attention.LINE_UNKNOWN.value: _("unknown lines"),
    Attention.PAID_IN_VAIN.value: _("paid, no cover"),
    Attention.NOT_CHARGED.value: _("not charged?"),
}
STATUS_NAMES = {status.value: status.label for status in Status}
INSTALMENT_NAMES = {status.value: status.label for status in Instalment.Status}


def badge(text: object, tone: str) -> SafeString:
    """Return `text` (escaped) as a badge."""
    return format_html('<span class="xcover-badge xcover-badge-{}">{}</span>', tone, text)


def status_badge(row: QuotePackage | Quote) -> SafeString:
    """Return the badge of XCover's status, even an unknown one."""
    return badge(STATUS_NAMES.get(row.status, row.status), TONES.get(row.status, PLAIN))


def state_badge(row: Operation | Cancellation | Modification | Renewal) -> SafeString:
    """Return the badge of an operation's or workflow's state."""
    if isinstance(row, Operation) and row.given_up:
        return badge(_("given up"), BAD)
    if isinstance(row, Operation) and was_refused(row):
        return badge(_("refused by XCover"), BAD)
    return badge(row.get_state_display(), TONES.get(row.state, PLAIN))


def instalment_badge(row: Instalment) -> SafeString:
    """Return the badge of an instalment's status, with a second one if it is overdue."""
    name = INSTALMENT_NAMES.get(row.status, row.status)
    shown = badge(name, TONES.get(row.status, PLAIN))
    if not is_overdue(row, timezone.now()):
        return shown
    return format_html("{} {}", shown, badge(_("overdue"), BAD))


def hold_badge(row: Hold) -> SafeString:
    """Return the badge of a hold's state."""
    return badge(row.state.label, TONES.get(row.state, PLAIN))


def choice_badge(row: Quote | Decision) -> SafeString | str:
    """Return the badge of the shopper's answer, "" for none."""
    return badge(row.get_choice_display(), TONES.get(row.choice, PLAIN)) if row.choice else ""


def attention_badge(package: QuotePackage) -> SafeString | str:
    """Return the badge of the package's newest open flag, or ""."""
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


def page_url(row: Model) -> str:
    """Return the URL of the admin page of `row`."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.pk,))


def policy_url(quote: Quote) -> str:
    """Return the URL of a booked quote's policy page, which has the same id."""
    return reverse("admin:xcover_policy_change", args=(quote.pk,))


def story_url(reference: str) -> str:
    """Return the URL of the order's timeline."""
    return reverse("admin:xcover_order_story", args=(reference,))


def link(url: str, text: object) -> SafeString:
    """Return a link; both parts are escaped."""
    return format_html('<a href="{}">{}</a>', url, text)


def package_link(package: QuotePackage) -> SafeString:
    """Return a link to the page of `package`."""
    return link(page_url(package), package.package_id)


def order_link(package: QuotePackage) -> SafeString | str:
    """Return a link to the timeline of the package's order, "" without an order."""
    reference = package.order_reference
    return link(story_url(reference), reference) if reference else ""


def may_view(request: HttpRequest, row: Model | type[Model]) -> bool:
    """Return whether this request's user may see rows like `row`, or of that model."""
    user = request.user
    if isinstance(user, AnonymousUser):
        return False
    # A flag belongs to its package and needs the package's view permission.
    meta = QuotePackage._meta if row._meta.model is Flag else row._meta
    return user.has_perm(f"{meta.app_label}.view_{meta.model_name}")


WITHOUT_KEYS = _("Without the links and tokens that let anyone act for the customer.")


class OfPackage:
    """Columns of rows with a `package`."""

    @admin.display(description=_("package"))
    def package_link(self, row: Any) -> SafeString:
        return package_link(row.package)

    @admin.display(description=_("order"))
    def order(self, row: Any) -> SafeString | str:
        return order_link(row.package) or "-"


def folded_json(value: Any) -> SafeString:
    """Return the JSON value `value`, redacted, in a collapsed element."""
    if not value:
        return format_html("{}", "-")
    return format_html(
        '<details class="xcover-json"><summary>{}</summary><pre>{}</pre></details>',
        _("Show"),
        pretty(value),
    )


def last_error(operation: Operation) -> str:
    """Return the last error in one line, "-" for none."""
    return redact_text(in_plain_words(operation.error)) or "-"


def last_error_without_words(operation: Operation) -> str:
    """Return the last error in one line without XCover's words, "-" for none."""
    return redact_text(without_words(operation.error)) or "-"


def next_attempt(operation: Operation) -> str:
    """Return the time of the next attempt of a waiting operation, else "-"."""
    is_waiting = operation.state == OperationState.PENDING
    return moment(operation.next_attempt_at) if is_waiting else "-"


def policies_text(quotes: Any) -> str:
    """Return a short text of what `quotes` insure."""
    return ", ".join(quote.label or quote.policy_name for quote in quotes) or "-"


def policy_links(quotes: Any) -> SafeString | str:
    """Return links to the policies that `quotes` became."""
    links = []
    for quote in quotes:
        text = ": ".join(part for part in (quote.label, quote.policy_name) if part)
        links.append((link(policy_url(quote), text) if quote.status in BOOKED else text,))
    return format_html_join(", ", "{}", links) or "-"


def amount(value: Any, currency: str) -> str:
    """Return the formatted amount, "-" for None."""
    return "-" if value is None else format_amount(Money(value, currency))


NAMES = {
    documents.CERTIFICATE: _("Certificate of insurance"),
    documents.CERTIFICATE_PDF: _("Certificate (PDF)"),
    documents.WORDING: _("Policy wording"),
    documents.CLAIM: _("Claim form"),
    documents.CANCEL: _("XCover's cancellation page"),
    documents.ACCOUNT: _("Customer's account"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One link."""

    label: str
    url: str


def documents_of(request: HttpRequest, policy: Quote) -> list[Document]:
    """Return the document links this user may open; [] if the shop doesn't include the URLs."""
    if not request.user.has_perm(documents.STAFF_PERMISSION):
        return []
    kinds = documents.kinds_of(policy, policy.package)
    try:
        return [
            Document(
                label=str(NAMES.get(kind, kind)),
                url=reverse("xcover:document", args=(policy.quote_id, kind)),
            )
            for kind in kinds
        ]
    except NoReverseMatch:
        return []
