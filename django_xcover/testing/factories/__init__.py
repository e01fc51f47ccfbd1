"""PUBLIC: factories for all models, with traits for their states. Requires the extra `[testing]`.

`QuotePackageFactory.create(booked=True)` creates a booking as the package itself would: with its
policies, the decisions behind them, consistent amounts and XCover's responses. It runs none of the
package's code, sends no signals and makes no calls. Related rows are created together: the factory
for cancellations also creates the cancelled booking.
"""

from __future__ import annotations

from django_xcover.testing.factories.after_sale import AfterSaleOfferFactory
from django_xcover.testing.factories.outbox import (
    AccountPauseFactory,
    AttemptFactory,
    KeptAnswerFactory,
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
    OfferDayFactory,
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
    "AfterSaleOfferFactory",
    "AttemptFactory",
    "CancellationFactory",
    "DecisionFactory",
    "DiscrepancyFactory",
    "FlagFactory",
    "HeartbeatFactory",
    "HoldFactory",
    "InstalmentFactory",
    "KeptAnswerFactory",
    "ModificationFactory",
    "OfferCountFactory",
    "OfferDayFactory",
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
