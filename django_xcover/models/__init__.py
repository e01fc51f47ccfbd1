"""PUBLIC, to read: the mirror of XCover data, the record of choices, and the outbox."""

from __future__ import annotations

from django_xcover.models.cancellation import (
    Cancellation,
    RefundCorrection,
    Withdrawal,
    WithdrawalsAreFinal,
)
from django_xcover.models.health import AccountPause, Heartbeat, WebhookRefusal
from django_xcover.models.history import (
    AccessRecord,
    AccessRecordsAreFinal,
    Attempt,
    Decision,
    DecisionsAreFinal,
    Flag,
    StaffAction,
)
from django_xcover.models.idempotency import KeptAnswer
from django_xcover.models.offer import (
    AfterSaleOffer,
    Latency,
    OfferCount,
    OfferDay,
    OfferOutcome,
    OfferPlacement,
    OfferResult,
    QuoteAttempt,
)
from django_xcover.models.operation import Operation
from django_xcover.models.order import Hold, OrderEvent
from django_xcover.models.package import Policy, Quote, QuotePackage, SearchTerm
from django_xcover.models.status import (
    BOOKED,
    UNFINISHED,
    Attention,
    Choice,
    OperationKind,
    OperationState,
    Status,
)
from django_xcover.models.sync import Discrepancy, Reconciliation, WebhookDelivery
from django_xcover.models.workflows import Instalment, Modification, Renewal

__all__ = [
    "BOOKED",
    "UNFINISHED",
    "AccessRecord",
    "AccessRecordsAreFinal",
    "AccountPause",
    "AfterSaleOffer",
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
    "KeptAnswer",
    "Latency",
    "Modification",
    "OfferCount",
    "OfferDay",
    "OfferOutcome",
    "OfferPlacement",
    "OfferResult",
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
