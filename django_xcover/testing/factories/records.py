"""Factories for flags, staff actions, accesses, discrepancies, counts and health."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from factory import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from django_xcover.models import (
    AccessRecord,
    Attention,
    Discrepancy,
    Flag,
    Heartbeat,
    Latency,
    OfferCount,
    OfferDay,
    OfferOutcome,
    OfferPlacement,
    OfferResult,
    Reconciliation,
    StaffAction,
    WebhookRefusal,
)
from django_xcover.testing.factories.declarations import NOW, after
from django_xcover.testing.factories.packages import PRICE, QuotePackageFactory


class FlagFactory(DjangoModelFactory[Flag]):
    """A flag on a booking, open unless `resolved`. An open one also sets `package.attention`."""

    class Meta:
        model = Flag

    class Params:
        open = Trait(resolved_at=None)
        resolved = Trait(resolved_at=NOW, resolved_by="7", note="Agreed with the customer")

    package: Any = SubFactory(QuotePackageFactory, booked=True)
    reason: Any = Attention.TERMS_DIFFER

    @classmethod
    def _create(cls, model_class: type[Flag], *args: Any, **values: Any) -> Flag:
        flag = model_class.objects.create(**values)
        if flag.is_open:
            flag.package.attention = flag.reason
            flag.package.save(update_fields=["attention", "updated_at"])
        return flag


class StaffActionFactory(DjangoModelFactory[StaffAction]):
    """An action of a staff member on a booking."""

    class Meta:
        model = StaffAction

    package: Any = SubFactory(QuotePackageFactory, booked=True)
    action = "refresh"
    by = "7"
    sentence = LazyAttribute(lambda row: f"{row.package.package_id} was refreshed from XCover.")


class AccessRecordFactory(DjangoModelFactory[AccessRecord]):
    """An access to a document by its owner, a guest or a staff member."""

    class Meta:
        model = AccessRecord
        exclude = ("package",)

    class Params:
        guest = Trait(by="")
        staff = Trait(is_staff=True, what=AccessRecord.What.PAGE, detail="quotepackage")
        opened_list = Trait(
            is_staff=True,
            what=AccessRecord.What.LIST,
            detail="quotepackage",
            package_id="",
            order_reference="",
        )

    package: Any = SubFactory(QuotePackageFactory, booked=True)

    what: Any = AccessRecord.What.DOCUMENT
    detail: Any = "certificate"
    by: Any = "7"
    account = SelfAttribute("package.account")
    package_id: Any = SelfAttribute("package.package_id")
    order_reference: Any = SelfAttribute("package.order_reference")


class DiscrepancyFactory(DjangoModelFactory[Discrepancy]):
    """Paid cover that XCover does not have. Open unless a trait sets another state."""

    class Meta:
        model = Discrepancy
        exclude = ("package",)

    class Params:
        open = Trait(state=Discrepancy.State.OPEN)
        resolved = Trait(
            state=Discrepancy.State.RESOLVED, resolved_at=NOW, resolved_by="sam", note="Refunded"
        )
        gone = Trait(state=Discrepancy.State.GONE, resolved_at=NOW)
        price_differs = Trait(
            kind=Discrepancy.Kind.PRICE_DIFFERS,
            theirs=LazyAttribute(lambda row: row.ours + 1),
            at_stake=Decimal(1),
            there=SelfAttribute("here"),
        )
        unknown = Trait(
            kind=Discrepancy.Kind.UNKNOWN,
            ours=None,
            theirs=PRICE,
            here="",
            there="CONFIRMED",
        )

    package: Any = SubFactory(QuotePackageFactory, ordered=True)

    account = SelfAttribute("package.account")
    kind: Any = Discrepancy.Kind.NOT_COVERED
    package_id = SelfAttribute("package.package_id")
    order_reference = SelfAttribute("package.order_reference")
    currency = SelfAttribute("package.currency")
    ours: Any = PRICE
    at_stake: Any = PRICE
    here: Any = SelfAttribute("package.status")


class ReconciliationFactory(DjangoModelFactory[Reconciliation]):
    """A finished reconciliation pass over an account's bookings."""

    class Meta:
        model = Reconciliation

    class Params:
        under_way = Trait(
            phase=Reconciliation.Phase.THEIRS,
            offset=50,
            finished_at=None,
            lease_until=after(minutes=2),
        )
        failed = Trait(under_way=True, lease_until=None, failed_at=NOW, error="server_fault")

    account = Sequence(lambda number: f"account-{number}" if number else "default")
    phase: Any = Reconciliation.Phase.DONE
    started_at = after(minutes=-5)
    finished_at: Any = NOW
    attempts = 1


class OfferCountFactory(DjangoModelFactory[OfferCount]):
    """The number of offers made in the current hour."""

    class Meta:
        model = OfferCount

    class Params:
        late = Trait(outcome=OfferOutcome.LATE)

    account = "default"
    hour = LazyFunction(lambda: timezone.now().replace(minute=0, second=0, microsecond=0))
    placement: Any = OfferPlacement.CHECKOUT
    outcome: Any = OfferOutcome.OFFERED
    count = 1
    last_at = NOW


class OfferDayFactory(DjangoModelFactory[OfferDay]):
    """One accepted offer of today whose cart was ordered."""

    class Meta:
        model = OfferDay

    class Params:
        declined = Trait(result=OfferResult.DECLINED)
        unanswered = Trait(result=OfferResult.UNANSWERED, is_ordered=False)
        no_offer = Trait(
            placement="",
            look="",
            latency="",
            result=OfferResult.NO_OFFER,
            reason=OfferOutcome.NO_ANSWER,
            is_ordered=False,
        )

    account = "default"
    day = LazyFunction(timezone.localdate)
    placement: Any = "checkout"
    look: Any = "card"
    latency: Any = Latency.UP_TO_1
    result: Any = OfferResult.ACCEPTED
    reason: Any = ""
    is_ordered: Any = True
    count = 1


class HeartbeatFactory(DjangoModelFactory[Heartbeat]):
    """The time of the last sweep."""

    class Meta:
        model = Heartbeat
        django_get_or_create = ("name",)

    name = "sweep"
    at: Any = NOW


class WebhookRefusalFactory(DjangoModelFactory[WebhookRefusal]):
    """The number of webhook requests refused today for a wrong signature."""

    class Meta:
        model = WebhookRefusal

    account = "default"
    reason: Any = WebhookRefusal.Reason.SIGNATURE
    day = LazyFunction(lambda: timezone.now().date())
    count = 1
