"""PUBLIC, to read: the mirror of XCover data, the record of choices, and the outbox."""

from __future__ import annotations

from django_xcover.models.cancellation import Cancellation, RefundCorrection
from django_xcover.models.decision import Decision, DecisionsAreFinal
from django_xcover.models.health import Heartbeat, WebhookRefusal
from django_xcover.models.history import (
    AccessRecord,
    AccessRecordsAreFinal,
    Attempt,
    Flag,
    StaffAction,
)
from django_xcover.models.hold import Hold
from django_xcover.models.instalment import Instalment
from django_xcover.models.modification import Modification
from django_xcover.models.offer_count import OfferCount, OfferOutcome
from django_xcover.models.operation import Operation
from django_xcover.models.order_event import OrderEvent
from django_xcover.models.package import Policy, Quote, QuotePackage
from django_xcover.models.pause import AccountPause
from django_xcover.models.quote_attempt import QuoteAttempt
from django_xcover.models.reconciliation import Discrepancy, Reconciliation
from django_xcover.models.renewal import Renewal
from django_xcover.models.search import SearchTerm
from django_xcover.models.status import (
    BOOKED,
    UNFINISHED,
    Attention,
    Choice,
    OperationKind,
    OperationState,
    Status,
)
from django_xcover.models.webhook import WebhookDelivery
from django_xcover.models.withdrawal import Withdrawal, WithdrawalsAreFinal

__all__ = [
    "BOOKED",
    "UNFINISHED",
    "AccessRecord",
    "AccessRecordsAreFinal",
    "AccountPause",
    "Attempt",
    "Attention",
    "Cancellation",
    "Choice",
    "Decision",
    "DecisionsAreFinal",
    "Discrepancy",
    "Flag",
    "Heartbeat",
    "Hold",
    "Instalment",
    "Modification",
    "OfferCount",
    "OfferOutcome",
    "Operation",
    "OperationKind",
    "OperationState",
    "OrderEvent",
    "Policy",
    "Quote",
    "QuoteAttempt",
    "QuotePackage",
    "Reconciliation",
    "RefundCorrection",
    "Renewal",
    "SearchTerm",
    "StaffAction",
    "Status",
    "WebhookDelivery",
    "WebhookRefusal",
    "Withdrawal",
    "WithdrawalsAreFinal",
]
