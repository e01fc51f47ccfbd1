"""PUBLIC: what is done with cover after the sale, one verb each.

The refusals they raise are in `django_xcover.exceptions`; docs/after-the-sale.md says when each is
called. The modules below are private.
"""

from __future__ import annotations

from django_xcover.policies.cancellation import cancel_now
from django_xcover.policies.cancellation import preview as preview_cancellation
from django_xcover.policies.cancellation import refusal_of as cancellation_refusal
from django_xcover.policies.cancellation import request as confirm_cancellation
from django_xcover.policies.documents import document_url
from django_xcover.policies.emails import send_again as send_email_again
from django_xcover.policies.instalments import Sums as InstalmentSums
from django_xcover.policies.instalments import next_due as next_instalment
from django_xcover.policies.instalments import overdue as overdue_instalments
from django_xcover.policies.instalments import report as report_instalment
from django_xcover.policies.instalments import sums as instalment_sums
from django_xcover.policies.modification import abandon as abandon_change
from django_xcover.policies.modification import change_details, changeable_fields, quote_change
from django_xcover.policies.modification import refusal_of as change_refusal
from django_xcover.policies.modification import settle as settle_change
from django_xcover.policies.refunds import RefundLine, correct_refund, record_refund
from django_xcover.policies.refunds import lines_of as refund_lines
from django_xcover.policies.renewal import RenewalLine
from django_xcover.policies.renewal import confirm_legacy as confirm_legacy_renewal
from django_xcover.policies.renewal import lines_of as renewal_lines
from django_xcover.policies.renewal import opt_out as decline_renewal
from django_xcover.policies.renewal import record_payment as record_renewal_payment
from django_xcover.policies.withdrawal import link_path as withdrawal_path
from django_xcover.policies.withdrawal import may_withdraw, withdraw
from django_xcover.policies.withdrawal import prepare as prepare_withdrawal

__all__ = [
    "InstalmentSums",
    "RefundLine",
    "RenewalLine",
    "abandon_change",
    "cancel_now",
    "cancellation_refusal",
    "change_details",
    "change_refusal",
    "changeable_fields",
    "confirm_cancellation",
    "confirm_legacy_renewal",
    "correct_refund",
    "decline_renewal",
    "document_url",
    "instalment_sums",
    "may_withdraw",
    "next_instalment",
    "overdue_instalments",
    "prepare_withdrawal",
    "preview_cancellation",
    "quote_change",
    "record_refund",
    "record_renewal_payment",
    "refund_lines",
    "renewal_lines",
    "report_instalment",
    "send_email_again",
    "settle_change",
    "withdraw",
    "withdrawal_path",
]
