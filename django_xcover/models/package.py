"""The mirror of XCover's quote packages and of the quotes in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.client.schemas import stored
from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.status import BOOKED, Attention, Choice, Status
from django_xcover.types import Money

if TYPE_CHECKING:
    from datetime import datetime


# XCover's ids end in -INS and have no lower-case letters (Quotes API: identifiers).
PROVISIONAL = "instant-"


class QuotePackageQuerySet(models.QuerySet["QuotePackage"]):
    def locked(self) -> QuotePackageQuerySet:
        """Return the packages with their rows locked until the transaction ends.

        A package is locked before anything that hangs on it, by everybody, or two would wait for
        each other. Its key is left out where that can be said (PostgreSQL): who adds a row for the
        package wants to be sure of its key, and Django has that checked as late as the COMMIT.
        Both were seen as deadlocks in storms.
        """
        features = connections[self.select_for_update().db].features
        return self.select_for_update(no_key=features.has_select_for_no_key_update)

    def for_order(self, reference: str) -> QuotePackageQuerySet:
        """Return the packages of the order with this reference."""
        return self.filter(order_reference=reference).exclude(order_reference="")

    def booked(self) -> QuotePackageQuerySet:
        """Return the packages that are bookings, cancelled ones included."""
        return self.filter(status__in=BOOKED)

    def needing_attention(self) -> QuotePackageQuerySet:
        """Return the packages that a person should look at."""
        # By value and not by exclusion, which no index serves.
        return self.filter(attention__in=Attention.values)


class QuotePackage(models.Model):
    """A quote package at XCover, later the booking of the same id.

    Columns hold what is filtered, sorted, summed or shown; `payload` is XCover's last answer
    without its quotes. The shop's cart and order are named by reference, never by foreign key.
    `fingerprint` identifies what was quoted; empty means that it must be quoted anew.
    `held_until` is when the last `Hold` on it expires: until then nothing changes its quotes or
    their answers. A time that has passed means that nobody knows whether the premium was charged.
    `customer_token_id` is what XCover charges with dual payment, kept only until it is booked.
    `lost_cover` lists what the cart's shopper accepted and this package does not offer
    (`mirror.lost_cover`).
    `reconciled_at` is the start of the last pass of reconciliation that met it in XCover's list.

    An instant booking is quoted and booked in one call, after the sale. Until XCover has named the
    package the row stands for what was agreed, under a `package_id` of our own making.
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
    quoted_at = models.DateTimeField(_("quoted at"))
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
                # The id first: staff search by it, and every account's are looked through.
                fields=("package_id", "account"),
                name="xcover_package_once_per_account",
            ),
        )
        indexes = (
            # A list of one account's, which can be few among very many.
            models.Index(fields=("account",), name="xcover_package_account"),
            # Beat looks for the late among the pending, and for schedules of recent bookings.
            models.Index(fields=("status", "booked_at"), name="xcover_package_booked"),
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
        """Return XCover's total for the package."""
        return Money(self.total_price, self.currency)

    @property
    def is_provisional(self) -> bool:
        """Return whether XCover does not know the package yet: an instant booking on its way."""
        return self.package_id.startswith(PROVISIONAL)

    @property
    def is_open(self) -> bool:
        """Return whether the shopper may still choose: quoted, and no order made of it."""
        return self.status == Status.RECEIVED and not self.order_reference

    @property
    def answer(self) -> stored.StoredPackage:
        """Return what XCover's last answer says besides the columns and the quotes."""
        return stored.read_package(self.payload)

    @property
    def is_held(self) -> bool:
        """Return whether it is being paid for, so that nothing about it may change."""
        return self.held_until is not None and self.held_until > timezone.now()


class QuoteQuerySet(models.QuerySet["Quote"]):
    def offered(self) -> QuoteQuerySet:
        """Return the quotes that are still part of their package."""
        return self.exclude(status=Status.DELETED)

    def on_offer(self) -> QuoteQuerySet:
        """Return the quotes that a shopper may be shown and charged for."""
        return self.filter(status=Status.RECEIVED)

    def accepted(self) -> QuoteQuerySet:
        """Return the quotes the shopper said yes to."""
        return self.filter(choice=Choice.ACCEPTED)

    def booked(self) -> QuoteQuerySet:
        """Return the quotes that became policies."""
        return self.filter(status__in=BOOKED)


class Quote(models.Model):
    """One quote, later the policy of the same id.

    `line_reference` is the cart line it insures and `request` what was sent to quote it, so that
    a changed line can be updated in place; a change of the policy changes it, too. `choice` is the
    shopper's present answer, empty for none; `chosen_price` is the price at which it was given.

    `lapsed_price` and `lapsed_currency` are those of a yes that no longer counts, until the shopper
    answers anew; `lapsed_terms` names what changed besides, as in `services.agreement`.
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
    # The base manager, also of policies: whatever became of a row, it can be read and saved again.
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
        # Policies are told from quotes by their status, and those that end soon by both.
        indexes = (
            models.Index(fields=("status", "policy_end_date"), name="xcover_quote_status"),
            models.Index(fields=("status", "policy_start_date"), name="xcover_quote_start"),
        )

    def __str__(self) -> str:
        return f"{self.policy_name} {self.quote_id}"

    @property
    def answer(self) -> stored.StoredQuote:
        """Return what XCover's last answer says besides the columns."""
        return stored.read_quote(self.payload)

    @property
    def cost(self) -> Money:
        """Return the price with its currency."""
        return Money(self.price, self.package.currency)

    def covers(self, moment: datetime) -> bool:
        """Return whether `moment` (aware) lies in the policy's period; an open end never passes."""
        started = self.policy_start_date is None or self.policy_start_date <= moment
        return started and (self.policy_end_date is None or moment <= self.policy_end_date)


class PolicyManager(WriterManager["Policy"]):
    def get_queryset(self) -> models.QuerySet[Policy]:
        return super().get_queryset().filter(status__in=BOOKED)

    def for_order(self, reference: str) -> models.QuerySet[Policy]:
        """Return the policies of the order with this reference."""
        return self.filter(package__order_reference=reference).exclude(package__order_reference="")


class Policy(Quote):
    """A quote that has been booked."""

    objects: ClassVar[PolicyManager] = PolicyManager()  # type: ignore[assignment]

    class Meta:
        proxy = True
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
