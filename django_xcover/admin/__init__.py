"""The admin for support and finance: read-only rows, and the actions staff may take."""

from __future__ import annotations

from django_xcover.admin.cancellations import CancellationAdmin
from django_xcover.admin.discrepancies import DiscrepancyAdmin
from django_xcover.admin.flags import FlagAdmin
from django_xcover.admin.instalments import InstalmentAdmin
from django_xcover.admin.modifications import ModificationAdmin
from django_xcover.admin.offers import OfferDayAdmin
from django_xcover.admin.operations import OperationAdmin
from django_xcover.admin.orders import HoldAdmin, OrderEventAdmin
from django_xcover.admin.packages import QuotePackageAdmin
from django_xcover.admin.pauses import AccountPauseAdmin
from django_xcover.admin.policies import PolicyAdmin
from django_xcover.admin.records import AccessRecordAdmin, DecisionAdmin, WithdrawalAdmin
from django_xcover.admin.renewals import RenewalAdmin
from django_xcover.admin.webhooks import WebhookDeliveryAdmin

__all__ = [
    "AccessRecordAdmin",
    "AccountPauseAdmin",
    "CancellationAdmin",
    "DecisionAdmin",
    "DiscrepancyAdmin",
    "FlagAdmin",
    "HoldAdmin",
    "InstalmentAdmin",
    "ModificationAdmin",
    "OfferDayAdmin",
    "OperationAdmin",
    "OrderEventAdmin",
    "PolicyAdmin",
    "QuotePackageAdmin",
    "RenewalAdmin",
    "WebhookDeliveryAdmin",
    "WithdrawalAdmin",
]
