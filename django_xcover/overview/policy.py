"""The details of one policy, for its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django_xcover.adapters import get_adapter
from django_xcover.booking.dual_payment import CardState, card_state
from django_xcover.mirror.presentation import OfferedQuote, clean_text, present
from django_xcover.models import (
    Cancellation,
    Modification,
    OperationKind,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.overview.documents import PolicyMail, mail_of
from django_xcover.overview.instalments import Schedule, schedule_of
from django_xcover.overview.modifications import InsuredValue, insured_value
from django_xcover.overview.policies import PolicyState, PolicySummary, policy_rows, summarise
from django_xcover.overview.progress import progress_of
from django_xcover.overview.renewals import RenewalView, renewal_of, view_of
from django_xcover.policies import documents
from django_xcover.policies.cancellation import eligibility
from django_xcover.policies.modification import changeable_fields
from django_xcover.policies.withdrawal import holder_of, may_withdraw

# The policyholder's fields that a shopper may see.
SHOWN_OF_POLICYHOLDER = ("first_name", "last_name", "email", "phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDetails:
    """One policy with everything that the shopper can see or do about it.

    `is_cancellable` is XCover's latest answer. `cancellable` are the policies of the same booking
    that can be cancelled now, this one first if it is among them. `may_withdraw` is whether a
    withdrawal period may still be running. `cancellation`, `modification` and `renewal` are the
    latest ones of this policy, or None; a completed modification isn't shown. `changeable` names
    the policyholder's fields that may be changed. `value` is the insured value if it may be
    changed, and `mail` the state of the e-mail with the documents if there are any. `card` is what
    is known of the card that XCover charges with dual payment, as long as nothing is booked.
    """

    policy: PolicySummary
    content: OfferedQuote
    booking_id: str
    policyholder: Mapping[str, str] = field(repr=False)
    documents: tuple[str, ...]
    mail: PolicyMail | None
    is_cancellable: bool | None
    cancellable: tuple[PolicySummary, ...]
    may_withdraw: bool
    cancellation: Cancellation | None
    modification: Modification | None
    changeable: tuple[str, ...]
    value: InsuredValue | None
    renewal: RenewalView | None
    schedule: Schedule | None
    card: CardState = CardState.NOT_NEEDED

    @property
    def papers(self) -> tuple[str, ...]:
        """Return the kinds of documents to read; the other kinds are links to actions."""
        return tuple(kind for kind in self.documents if kind in documents.PAPERS)

    @property
    def can_cancel(self) -> bool:
        """Return whether the shopper can cancel this policy."""
        return any(item.quote_id == self.policy.quote_id for item in self.cancellable)

    @property
    def companions(self) -> tuple[PolicySummary, ...]:
        """Return the other policies of the booking that can be cancelled together with it."""
        return tuple(item for item in self.cancellable if item.quote_id != self.policy.quote_id)


def details(quote: Quote) -> PolicyDetails:
    """Return the details of `quote`, a row of `policies.policy_rows`. No call to XCover."""
    package, policy = quote.package, summarise(quote)
    requested = filter(_is_shown, package.cancellations.filter(quotes=quote))
    renewal = renewal_of(quote)
    return PolicyDetails(
        policy=policy,
        content=present(quote),
        booking_id=package.package_id,
        policyholder=policyholder(package),
        documents=documents.kinds_of(quote, package),
        mail=mail_of(quote),
        is_cancellable=quote.can_be_cancelled,
        cancellable=tuple(summarise(row) for row in _free(quote)),
        may_withdraw=may_withdraw(package),
        cancellation=next(requested, None),  # the latest
        modification=_modification(quote),
        changeable=changeable(quote),
        value=insured_value(quote),
        renewal=view_of(renewal) if renewal else None,
        schedule=schedule_of(quote),
        card=_card(package) if policy.state in UNBOOKED else CardState.NOT_NEEDED,
    )


UNBOOKED = (PolicyState.ARRANGING, PolicyState.NEEDS_PERSON)


def _card(package: QuotePackage) -> CardState:
    order = get_adapter().get_order(package.order_reference)
    return CardState.NOT_NEEDED if order is None else card_state(package, order)


SHOWN_STATES = (
    Cancellation.State.REQUESTED,
    Cancellation.State.CONFIRMED,
    Cancellation.State.REFUSED,
)
OPEN_CHANGES = (Modification.State.QUOTED, Modification.State.REQUESTED)
OVER = (Modification.State.CONFIRMED, Modification.State.REFUSED)


def booked_together(quote: Quote) -> Sequence[Quote]:
    """Return the policies of the booking of `quote`, `quote` first."""
    rows = policy_rows().filter(package=quote.package).order_by("position")
    return sorted(rows, key=lambda row: row.pk != quote.pk)


def _free(quote: Quote) -> Sequence[Quote]:
    """Return the policies of the booking of `quote` that can be cancelled now, `quote` first.

    Includes policies that are agreed but not booked yet. `quote` is included even if XCover denied
    its cancellation (`can_be_cancelled`): the answer may be outdated, and a withdrawal doesn't
    depend on XCover.
    """
    rows = booked_together(quote)
    mine = [r for r in rows if r.status == Status.CONFIRMED or eligibility.is_unbooked(r)]
    free, _obstacles = eligibility.split(quote.package, mine, unbooked=True)
    return [row for row in free if row.can_be_cancelled is not False or row.pk == quote.pk]


def changeable(quote: Quote) -> tuple[str, ...]:
    """Return the policyholder's fields that may be changed, () if the policy is not in force."""
    return changeable_fields(quote.package) if quote.status == Status.CONFIRMED else ()


def _modification(quote: Quote) -> Modification | None:
    """Return the open change of a policy in force, else the latest one if it was refused."""
    if quote.status != Status.CONFIRMED:
        return None
    rows = quote.package.modifications.filter(state__in=OPEN_CHANGES + OVER).defer("payload")
    mine = [row for row in rows if not row.quote_ids or quote.quote_id in row.quote_ids]
    latest = next((row for row in mine if row.state != Modification.State.QUOTED), None)
    refused = latest if latest and latest.state == Modification.State.REFUSED else None
    return next((row for row in mine if row.state in OPEN_CHANGES), refused)


def _is_shown(row: Cancellation) -> bool:
    if row.state != Cancellation.State.EXPIRED:
        return row.state in SHOWN_STATES
    # Confirmed, but expired before XCover could carry it out.
    return progress_of(row.package, OperationKind.CANCEL, row).asked_at is not None


def policyholder(package: QuotePackage) -> dict[str, str]:
    """Return the policyholder's fields for the shopper, from XCover or from the pending booking."""
    known = holder_of(package)
    shown = {key: clean_text(known.details.get(key)) for key in SHOWN_OF_POLICYHOLDER}
    return {**shown, "email": known.email}
