"""The refund table, recorded refund and corrections of a cancellation."""

from __future__ import annotations

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from django_xcover.admin.common.display import BAD, GOOD, badge
from django_xcover.admin.common.redaction import names_of, redact_text
from django_xcover.formats import format_amount
from django_xcover.models import Cancellation
from django_xcover.policies.refunds import RefundLine, differs, lines_of, recorded
from django_xcover.support.next_steps import moment
from django_xcover.types import Money


def refund_table(row: Cancellation) -> SafeString | str:
    """Return a table of each policy's refund, "-" until XCover reports it."""
    if not row.lines:
        return "-"
    heads = (_("Policy"), _("Price"), _("Refund"), _("Free to withdraw"))
    cell = "<td data-label='{}'>{}</td>"
    lines = (
        (line.label or line.name, _amount(line.price), _amount(line.refund), _withdrawal(line))
        for line in lines_of(row)
    )
    rows = ((format_html_join("", cell, zip(heads, line, strict=True)),) for line in lines)
    return format_html(
        '<table class="xcover-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", rows),
    )


def recorded_refund(row: Cancellation) -> SafeString | str:
    """Return the refund recorded by the shop, with XCover's if they differ."""
    refund = recorded(row)
    if refund is None or row.refund is None or not differs(row, refund):
        return _amount(refund)
    context = {"recorded": format_amount(refund), "named": format_amount(row.refund)}
    return badge(_("%(recorded)s, differs from XCover's %(named)s") % context, BAD)


def corrections(row: Cancellation) -> SafeString | str:
    """Return each correction of the recorded refund, "-" for none."""
    made = list(row.corrections.all())
    names = names_of(correction.by for correction in made)
    sentences = (
        _("%(when)s: %(before)s became %(after)s (%(reason)s). By: %(by)s")
        % {
            "when": moment(correction.at),
            "before": format_amount(Money(correction.amount_before, row.currency)),
            "after": format_amount(Money(correction.amount, row.currency)),
            "reason": redact_text(correction.reason),
            "by": names.get(correction.by) or _("the shop's code"),
        }
        for correction in made
    )
    return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in sentences)) or "-"


def _amount(money: Money | None) -> str:
    return "-" if money is None else format_amount(money)


def _withdrawal(line: RefundLine) -> SafeString | str:
    until = line.cooling_off_until
    if until is None:
        return "-"
    if until < timezone.now():
        return _("ended on %(when)s") % {"when": moment(until)}
    return badge(_("until %(when)s") % {"when": moment(until)}, GOOD)
