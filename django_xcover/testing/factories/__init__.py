"""Factories for every model, with traits for its states. Public; needs the extra `[testing]`.

`QuotePackageFactory.create(booked=True)` writes a booking as the services would have left it: its
policies, the decisions that led to them, amounts that add up and XCover's answers. No service runs,
no signal is sent and XCover is not asked. Rows that belong together are made together: a factory
for cancellations brings the booking that is cancelled.
"""

from __future__ import annotations

from django_xcover.testing.factories.outbox import (
    AccountPauseFactory,
    AttemptFactory,
    OperationFactory,
    OrderEventFactory,
    QuoteAttemptFactory,
    WebhookDeliveryFactory,
)
from django_xcover.testing.factories.packages import (
    DecisionFactory,
    HoldFactory,
    PolicyFactory,
    QuoteFactory,
    QuotePackageFactory,
    SearchTermFactory,
)
from django_xcover.testing.factories.records import (
    AccessRecordFactory,
    DiscrepancyFactory,
    FlagFactory,
    HeartbeatFactory,
    OfferCountFactory,
    ReconciliationFactory,
    StaffActionFactory,
    WebhookRefusalFactory,
)
from django_xcover.testing.factories.workflows import (
    CancellationFactory,
    InstalmentFactory,
    ModificationFactory,
    RefundCorrectionFactory,
    RenewalFactory,
    WithdrawalFactory,
)

__all__ = [
    "AccessRecordFactory",
    "AccountPauseFactory",
    "AttemptFactory",
    "CancellationFactory",
    "DecisionFactory",
    "DiscrepancyFactory",
    "FlagFactory",
    "HeartbeatFactory",
    "HoldFactory",
    "InstalmentFactory",
    "ModificationFactory",
    "OfferCountFactory",
    "OperationFactory",
    "OrderEventFactory",
    "PolicyFactory",
    "QuoteAttemptFactory",
    "QuoteFactory",
    "QuotePackageFactory",
    "ReconciliationFactory",
    "RefundCorrectionFactory",
    "RenewalFactory",
    "SearchTermFactory",
    "StaffActionFactory",
    "WebhookDeliveryFactory",
    "WebhookRefusalFactory",
    "WithdrawalFactory",
]
