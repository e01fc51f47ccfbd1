"""All that a shopper's page about one policy shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
from django_xcover.overview.insured_value import InsuredValue, insured_value
from django_xcover.overview.policies import PolicySummary, policy_rows, summarise
from django_xcover.overview.progress import progress_of
from django_xcover.overview.renewals import RenewalView, renewal_of, view_of
from django_xcover.policies import documents
from django_xcover.policies import modification as modifying
from django_xcover.policies.cancellation import eligibility as cancellable
from django_xcover.policies.withdrawal import holder_of, may_withdraw

# What a shopper can be shown of the policyholder; the rest XCover knows and nobody asked for.
SHOWN_OF_POLICYHOLDER = ("first_name", "last_name", "email", "phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDetails:
    """One policy with everything that is going on with it.

    `is_cancellable` is what XCover said last. `cancellable` are the policies of the same booking
    that can be cancelled now, this one first when it is among them, and `may_withdraw` is whether a
    withdrawal period may still run. `cancellation`, `modification`
    and `renewal` are the latest that concern it, or None; a modification that was made is no news.
    `changeable` names the policyholder's fields that may be changed, `value` what the insured thing
    is worth where that may be, `mail` how the e-mail with the documents stands where there are any.
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

    @property
    def papers(self) -> tuple[str, ...]:
        """Return the kinds of documents to read; the others are links to do something."""
        return tuple(kind for kind in self.documents if kind in documents.PAPERS)

    @property
    def can_cancel(self) -> bool:
        """Return whether XCover can be asked to cancel this policy."""
        return any(item.quote_id == self.policy.quote_id for item in self.cancellable)

    @property
    def companions(self) -> tuple[PolicySummary, ...]:
        """Return the other policies of the booking that can be cancelled together with it."""
        return tuple(item for item in self.cancellable if item.quote_id != self.policy.quote_id)


def details(quote: Quote) -> PolicyDetails:
    """Return the details of `quote`, a row of `policies.policy_rows`. No vendor call."""
    package, policy = quote.package, summarise(quote)
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
        cancellation=_cancellation(quote),
        modification=_modification(quote),
        changeable=changeable(quote),
        value=insured_value(quote),
        renewal=_renewal(quote),
        schedule=schedule_of(quote),
    )


TOLD = (
    Cancellation.State.REQUESTED,
    Cancellation.State.CONFIRMED,
    Cancellation.State.REFUSED,
)
OPEN_CHANGES = (Modification.State.QUOTED, Modification.State.REQUESTED)
OVER = (Modification.State.CONFIRMED, Modification.State.REFUSED)


def booked_together(quote: Quote) -> Sequence[Quote]:
    """Return the policies of the booking of `quote`, itself first."""
    rows = policy_rows().filter(package=quote.package).order_by("position")
    return sorted(rows, key=lambda row: row.pk != quote.pk)


def _free(quote: Quote) -> Sequence[Quote]:
    """Return the policies of the booking of `quote` that can be cancelled now, itself first.

    Those that are agreed and not booked yet are among them. Itself also when XCover has said that
    it cannot be (`can_be_cancelled`): that may be old, and a withdrawal is no matter of XCover's.
    """
    rows = booked_together(quote)
    mine = [r for r in rows if r.status == Status.CONFIRMED or cancellable.is_unbooked(r)]
    free, _obstacles = cancellable.split(quote.package, mine, unbooked=True)
    return [row for row in free if row.can_be_cancelled is not False or row.pk == quote.pk]


def changeable(quote: Quote) -> tuple[str, ...]:
    """Return the policyholder's fields that may be changed while the policy is in force."""
    return modifying.changeable_fields(quote.package) if quote.status == Status.CONFIRMED else ()


def _modification(quote: Quote) -> Modification | None:
    """Return the change that is open for the policy in force, else the last if it was refused."""
    if quote.status != Status.CONFIRMED:
        return None
    rows = quote.package.modifications.filter(state__in=OPEN_CHANGES + OVER).defer("payload")
    mine = [row for row in rows if not row.quote_ids or quote.quote_id in row.quote_ids]
    latest = next((row for row in mine if row.state != Modification.State.QUOTED), None)
    refused = latest if latest and latest.state == Modification.State.REFUSED else None
    return next((row for row in mine if row.state in OPEN_CHANGES), refused)


def _cancellation(quote: Quote) -> Cancellation | None:
    """Return the latest that was asked for; a preview that came to nothing is no news."""
    return next(filter(_is_told, quote.package.cancellations.filter(quotes=quote)), None)


def _is_told(row: Cancellation) -> bool:
    if row.state != Cancellation.State.EXPIRED:
        return row.state in TOLD
    # Confirmed, and expired before XCover could carry it out.
    return progress_of(row.package, OperationKind.CANCEL, row).asked_at is not None


def _renewal(quote: Quote) -> RenewalView | None:
    renewal = renewal_of(quote)
    return view_of(renewal) if renewal else None


def policyholder(package: QuotePackage) -> dict[str, str]:
    """Return what a shopper is shown of the policyholder, as XCover has it or is to get it."""
    known = holder_of(package)
    shown = {key: clean_text(known.details.get(key)) for key in SHOWN_OF_POLICYHOLDER}
    return {**shown, "email": known.email}
