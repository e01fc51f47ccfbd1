"""The mirror of XCover's quote packages and quotes, and the terms by which staff find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.client.schemas import stored
from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, TermField, VendorIdField
from django_xcover.models.status import BOOKED, Attention, Choice, Status
from django_xcover.types import Money

if TYPE_CHECKING:
    from datetime import datetime


# XCover's ids end in -INS and have no lower-case letters (Quotes API: identifiers).
PROVISIONAL = "instant-"


class QuotePackageQuerySet(models.QuerySet["QuotePackage"]):
    def locked(self) -> QuotePackageQuerySet:
        """Return the packages with their rows locked until the transaction ends.

        Every transaction locks a package before the rows that depend on it; otherwise two could
        wait for each other. On PostgreSQL the key is not locked (NO KEY): a transaction that adds a
        row for the package locks its key, and Django defers that check to the COMMIT. Both were
        seen as deadlocks under load.
        """
        features = connections[self.select_for_update().db].features
        return self.select_for_update(no_key=features.has_select_for_no_key_update)

    def lock_order(self, reference: str) -> list[QuotePackage]:
        """Lock and return the packages of the order with this reference, oldest first.

        Everyone locks them in this order, or two could wait for each other.
        """
        return list(self.for_order(reference).locked().order_by("pk"))

    def for_order(self, reference: str) -> QuotePackageQuerySet:
        """Return the packages of the order with this reference, none for ""."""
        return self.filter(order_reference=reference).exclude(order_reference="")

    def booked(self) -> QuotePackageQuerySet:
        """Return the packages that are bookings, including cancelled ones."""
        return self.filter(status__in=BOOKED)

    def needing_attention(self) -> QuotePackageQuerySet:
        """Return the packages that need a person's attention."""
        # Not `exclude`, because no index serves a NOT.
        return self.filter(attention__in=Attention.values)


class QuotePackage(models.Model):
    """A quote package at XCover, which later becomes the booking with the same id.

    Columns contain the data that is filtered, sorted, summed or displayed. `payload` is XCover's
    last response without the quotes. The shop's cart and order are referenced by text, not by
    foreign key. `fingerprint` identifies the quoted items; if empty, the cart must be requoted.
    `held_until` is when the last `Hold` on it expires; until then its quotes and choices do not
    change. If it has passed, it is unknown whether the premium was charged. `customer_token_id`
    is the token that XCover charges with dual payment, kept only until the booking. `lost_cover`
    lists cover that the shopper accepted for this cart and this package does not offer
    (`mirror.lapses`). `quote_milliseconds` is how long XCover took for the latest quote.
    `shown_at`, `placement` and `look` say when and how the shopper was first shown an offer.
    `reconciled_at` is the start of the last reconciliation that found the package in XCover's list.
    `quoted_request` is what was quoted, as exact JSON, for an offer after the sale; it is only
    stored if the shop makes any.

    An instant booking is quoted and booked in one call, after the sale. Until XCover has assigned
    an id, the row represents the agreed cover under a provisional `package_id`.
    """

    account = models.CharField(_("account"), max_length=50)
    package_id = VendorIdField(_("package id"))
    status = models.CharField(_("status"), max_length=32, db_index=True)
    cart_reference = models.CharField(_("cart reference"), max_length=100, db_index=True)
    shopper_reference = models.CharField(_("shopper reference"), max_length=100, blank=True)
    order_reference = models.CharField(
        _("order reference"), max_length=100, blank=True, default="", db_index=True
    )
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    currency = models.CharField(_("currency"), max_length=3)
    total_price = AmountField(_("total price"))
    customer_country = models.CharField(_("country"), max_length=2)
    customer_language = models.CharField(_("language"), max_length=10)
    policyholder_email = models.EmailField(
        _("policyholder's e-mail"), blank=True, default="", db_index=True
    )
    customer_token_id = VendorIdField(_("XPay customer token"), blank=True, default="")
    attention = models.CharField(
        _("attention"),
        max_length=32,
        blank=True,
        default="",
        choices=Attention,
        db_index=True,
    )
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    lost_cover = models.JSONField(default=list, blank=True, editable=False)
    quoted_request = models.TextField(blank=True, default="", db_default="", editable=False)
    quoted_at = models.DateTimeField(_("quoted at"))
    quote_milliseconds = models.PositiveIntegerField(null=True, blank=True, editable=False)
    shown_at = models.DateTimeField(null=True, blank=True, editable=False)
    placement = models.CharField(
        max_length=40, blank=True, default="", db_default="", editable=False
    )
    look = models.CharField(max_length=20, blank=True, default="", db_default="", editable=False)
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    booked_at = models.DateTimeField(_("booked at"), null=True, blank=True)
    reconciled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager.from_queryset(QuotePackageQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("quote package")
        verbose_name_plural = _("quote packages")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                # The id comes first, because staff search by it across all accounts.
                fields=("package_id", "account"),
                name="xcover_package_once_per_account",
            ),
        )
        indexes = (
            # For the list of one account, which may have few of very many packages.
            models.Index(fields=("account",), name="xcover_package_account"),
            # For the periodic tasks that find overdue payments and schedules of recent bookings.
            models.Index(fields=("status", "booked_at"), name="xcover_package_booked"),
            # For the numbers of a day.
            models.Index(fields=("shown_at",), name="xcover_package_shown"),
        )
        permissions = (
            ("refresh_quotepackage", _("Can refresh quote packages from XCover")),
            ("view_personal_data", _("Can see customers' personal data")),
            ("open_links", _("Can open customers' documents and pages at XCover")),
            ("resolve_attention", _("Can mark bookings as looked into")),
            ("send_email", _("Can have XCover send e-mails again")),
        )

    def __str__(self) -> str:
        return self.package_id

    @property
    def total(self) -> Money:
        """Return the package's total price at XCover."""
        return Money(self.total_price, self.currency)

    @property
    def is_provisional(self) -> bool:
        """Return whether this is an instant booking that XCover has not assigned an id yet."""
        return self.package_id.startswith(PROVISIONAL)

    @property
    def is_open(self) -> bool:
        """Return whether the shopper can still choose: quoted and without an order."""
        return self.status == Status.RECEIVED and not self.order_reference

    @property
    def answer(self) -> stored.StoredPackage:
        """Return the fields of XCover's last response that have no column."""
        return stored.read_package(self.payload)

    @property
    def is_held(self) -> bool:
        """Return whether a payment is under way, so that the package must not change."""
        return self.held_until is not None and self.held_until > timezone.now()


class QuoteQuerySet(models.QuerySet["Quote"]):
    def offered(self) -> QuoteQuerySet:
        """Return the quotes that are still part of their package."""
        return self.exclude(status=Status.DELETED)

    def on_offer(self) -> QuoteQuerySet:
        """Return the quotes that can be shown to a shopper and charged."""
        return self.filter(status=Status.RECEIVED)

    def accepted(self) -> QuoteQuerySet:
        """Return the quotes that the shopper accepted."""
        return self.filter(choice=Choice.ACCEPTED)

    def withdrawn(self) -> QuoteQuerySet:
        """Return the quotes whose acceptance was taken back before they were booked."""
        return self.filter(choice=Choice.WITHDRAWN)

    def booked(self) -> QuoteQuerySet:
        """Return the quotes that are policies."""
        return self.filter(status__in=BOOKED)


class Quote(models.Model):
    """A quote, which later becomes the policy with the same id.

    `line_reference` is the insured cart line. `request` is the item sent to quote it, so that a
    changed line can be updated in place; modifications of the policy update it. `choice` is the
    shopper's current answer, "" without one, and `chosen_price` the price at that time.

    `lapsed_price` and `lapsed_currency` are those of an acceptance that no longer counts, until the
    shopper answers again. `lapsed_terms` names the other terms that changed, as in
    `mirror.agreement`.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="quotes", on_delete=models.CASCADE
    )
    quote_id = VendorIdField(_("quote id"), db_index=True)
    status = models.CharField(_("status"), max_length=32)
    line_reference = models.CharField(_("cart line"), max_length=100, blank=True, default="")
    label = models.CharField(_("insures"), max_length=200, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)
    policy_type = models.CharField(_("policy type"), max_length=100)
    policy_name = models.CharField(_("policy"), max_length=200)
    price = AmountField(_("price"))
    choice = models.CharField(_("choice"), max_length=16, blank=True, default="", choices=Choice)
    chosen_price = AmountField(_("price when chosen"), null=True, blank=True)
    instalment_plan = models.CharField(_("instalment plan"), max_length=64, blank=True, default="")
    lapsed_price = AmountField(_("price of the lapsed yes"), null=True, blank=True)
    lapsed_currency = models.CharField(max_length=3, blank=True, default="")
    lapsed_terms = models.CharField(max_length=200, blank=True, default="")
    can_be_cancelled = models.BooleanField(_("can be cancelled"), null=True, blank=True)
    is_renewable = models.BooleanField(_("renewable"), default=False)
    policy_start_date = models.DateTimeField(_("start"), null=True, blank=True)
    policy_end_date = models.DateTimeField(_("end"), null=True, blank=True)
    request = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager.from_queryset(QuoteQuerySet)()
    # The base manager, also of policies, so that a row in any status can be read and saved.
    rows = WriterManager()

    class Meta:
        base_manager_name = "rows"
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        ordering = ("package", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("package", "quote_id"), name="xcover_quote_once_per_package"
            ),
        )
        # Policies are filtered by their status, and those that end soon by both columns.
        indexes = (
            models.Index(fields=("status", "policy_end_date"), name="xcover_quote_status"),
            models.Index(fields=("status", "policy_start_date"), name="xcover_quote_start"),
        )

    def __str__(self) -> str:
        return f"{self.policy_name} {self.quote_id}"

    @property
    def answer(self) -> stored.StoredQuote:
        """Return the fields of XCover's last response that have no column."""
        return stored.read_quote(self.payload)

    @property
    def is_unasked(self) -> bool:
        """Return whether XCover added this quote by itself, as it does with the next period."""
        return not self.line_reference

    @property
    def cost(self) -> Money:
        """Return the price with its currency."""
        return Money(self.price, self.package.currency)

    def covers(self, moment: datetime) -> bool:
        """Return whether `moment` (aware) is in the policy's period. A missing end means no end."""
        started = self.policy_start_date is None or self.policy_start_date <= moment
        return started and (self.policy_end_date is None or moment <= self.policy_end_date)


class PolicyManager(WriterManager["Policy"]):
    def get_queryset(self) -> models.QuerySet[Policy]:
        return super().get_queryset().filter(status__in=BOOKED)

    def for_order(self, reference: str) -> models.QuerySet[Policy]:
        """Return the policies of the order with this reference, none for ""."""
        return self.filter(package__order_reference=reference).exclude(package__order_reference="")


class Policy(Quote):
    """A quote that has been booked."""

    objects: ClassVar[PolicyManager] = PolicyManager()  # type: ignore[assignment]

    class Meta:
        proxy = True
        verbose_name = _("policy")
        verbose_name_plural = _("policies")


LONGEST_TERM = 254


class SearchTerm(models.Model):
    """A term in lower case by whose beginning staff can find a package.

    There is a term for the order number, for each id, and for each word of the policyholder's name
    and e-mail address, so that an index finds the beginning of any word on every database. The
    policyholder's terms are personal data, like the columns they come from, and are searched only
    for users who may see personal data.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="terms", on_delete=models.CASCADE
    )
    term = TermField(_("term"), max_length=LONGEST_TERM)
    # Unclassified terms are hidden. The `db_default` is for workers of the previous version, which
    # still write terms while the shop is being updated.
    is_personal = models.BooleanField(default=True, db_default=True, editable=False)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("search term")
        verbose_name_plural = _("search terms")
        default_permissions = ()
        constraints = (
            # The term comes first, because searches look it up.
            models.UniqueConstraint(fields=("term", "package"), name="xcover_term_once"),
        )

    def __str__(self) -> str:
        return f"{self.package_id}"
