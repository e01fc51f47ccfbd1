"""A shop whose every row holds one person, and every address of the admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, JSONField, Model, QuerySet, TextField
from django.test import Client
from django.urls import reverse

from django_xcover.models import (
    Attention,
    Modification,
    OperationKind,
    OperationState,
)
from django_xcover.models.fields import VendorIdField
from django_xcover.testing.factories import (
    AccessRecordFactory,
    AccountPauseFactory,
    CancellationFactory,
    DiscrepancyFactory,
    FlagFactory,
    HoldFactory,
    InstalmentFactory,
    ModificationFactory,
    OfferDayFactory,
    OperationFactory,
    OrderEventFactory,
    QuotePackageFactory,
    RefundCorrectionFactory,
    RenewalFactory,
    StaffActionFactory,
    WebhookDeliveryFactory,
    WithdrawalFactory,
    answers,
)
from tests.admin.factories import make_findable

NAME = "Zebedee"
MAIL = "zebedee@example.com"
PERSON = {"first_name": NAME, "last_name": NAME, "email": MAIL, "country": "GB"}
HOLDS_PERSON = {"policyholder": PERSON, "insured": [PERSON], "name_on_policy": NAME}
REFERENCE = "SH-1001"
PERMISSION = "view_personal_data"

# Columns of text that name nobody. A new column of text is taken for personal until it stands here.
CODES = (
    "account action cart cart_key cart_reference currency customer_country customer_language event "
    "fingerprint here hold idempotency_key instalment_plan key language lapsed_currency look "
    "lapsed_terms line_reference locale order_reference origin payment_reference phase placement "
    "policy_name "
    "policy_type reference reference_before refund_reference settlement_reference "
    "shopper_reference status template_version there wording_hash"
)
# A product and not who bought it; amounts, choices and ids of policies; keys of users; and the
# notes in which staff are asked to name nobody.
OTHERS = "label shown lost_cover choices lines by detail given_up note paused_by resolved_by"
WITHOUT_PEOPLE = frozenset(CODES.split()) | frozenset(OTHERS.split())
Id: Any = VendorIdField
# In these models the same column means something else.
EXCEPTIONS = {
    ("attempt", "error"),  # the kind of failure, without the sentences
    ("orderevent", "error"),  # the kind of failure of the shop's own code
    ("reconciliation", "error"),  # a code
    ("accountpause", "reason"),  # of an account
    ("refundcorrection", "reason"),  # a note of staff
    ("heartbeat", "name"),
    ("searchterm", "term"),  # what is found by is a test of its own
}


def personal_columns(model: type[Model]) -> Iterator[str]:
    """Yield the columns of `model` that may hold something of a person."""
    for field in model._meta.concrete_fields:
        is_text = isinstance(field, CharField | TextField | JSONField)
        is_code = field.choices or field.name in WITHOUT_PEOPLE or isinstance(field, Id)
        if is_text and not is_code and (model._meta.model_name, field.name) not in EXCEPTIONS:
            yield field.name


def make_everything() -> None:
    """Make rows of every kind, in the states that show the most, all of them about one person."""
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference=REFERENCE)
    quote = package.quotes.all()[0]
    OperationFactory.create(package=package, needs_person=True)
    OperationFactory.create(
        package=package,
        kind=OperationKind.SEND_EMAIL,
        error=answers.error(),
        failures=1,
        attempts=1,
    )
    OperationFactory.create(package=package, done=True, kind=OperationKind.OPT_OUT)
    FlagFactory.create(package=package, reason=Attention.STATUS_UNEXPECTED)
    CancellationFactory.create(package=package)
    cancelled = CancellationFactory.create(
        package=package, confirmed=True, refunded_at=package.created_at, refunded="1.00"
    )
    OperationFactory.create(
        package=package, done=True, kind=OperationKind.CANCEL, subject=str(cancelled.pk)
    )
    RefundCorrectionFactory.create(cancellation=cancelled)
    WithdrawalFactory.create(cancellation=cancelled)
    change = {
        "quotes": [
            {"id": quote.quote_id, "update_fields": {"holder": NAME, "tickets": [{"name": NAME}]}}
        ]
    }
    for state in (Modification.State.QUOTED, Modification.State.REFUSED):
        row = ModificationFactory.create(package=package, state=state)
        QuerySet(Modification).filter(pk=row.pk).update(changes=row.changes | change)
        OperationFactory.create(
            package=package,
            kind=OperationKind.MODIFY,
            subject=str(row.pk),
            state=OperationState.DISCARDED,
            error=answers.error(),
        )
    RenewalFactory.create(package=package)
    InstalmentFactory.create(quote=quote, number=1)
    DiscrepancyFactory.create(package=package, unknown=True)
    HoldFactory.create(package=package, taken=True)
    OrderEventFactory.create(needs_person=True, order_reference=REFERENCE)
    AccountPauseFactory.create()
    WebhookDeliveryFactory.create(package=package, failed=True)
    StaffActionFactory.create(package=package)
    OfferDayFactory.create()
    AccessRecordFactory.create(package=package, staff=True, detail="")
    for model in apps.get_app_config("xcover").get_models():
        _fill(model)
    package.refresh_from_db()
    make_findable(package)


def _fill(model: type[Model]) -> None:
    # A plain query set, because rows of evidence refuse to be updated by their own.
    rows: QuerySet[Any] = QuerySet(model)
    for row in rows.all():
        values: dict[str, Any] = {}
        for name in personal_columns(model):
            before = getattr(row, name)
            if isinstance(model._meta.get_field(name), JSONField):
                values[name] = before | HOLDS_PERSON
            else:
                values[name] = MAIL if "email" in name else f"{NAME} ({MAIL})"
        if isinstance(error := values.get("error"), dict) and "type" in error:
            words = [f"{NAME} is no telephone number"]
            values["error"] = error | {"message": words[0], "field_errors": {"phone": words}}
        if values:
            QuerySet(model).filter(pk=row.pk).update(**values)


def make_log_entries(user: User) -> None:
    """Note for every row of every page that `user` did something, in words with the person."""
    for model in pages():
        for row in model._default_manager.all():
            LogEntry.objects.create(
                user=user,
                content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
                object_id=str(row.pk),
                object_repr=str(row)[:200],
                action_flag=CHANGE,
                change_message=f"Not refreshed: {NAME} is no telephone number",
            )


def pages() -> dict[type[Model], admin.ModelAdmin[Any]]:
    """Return the models of ours that the admin shows."""
    registered = admin.site._registry.items()
    return {model: one for model, one in registered if model._meta.app_label == "xcover"}


def addresses() -> list[tuple[type[Model], str]]:
    """Return the name of each address of each model's pages."""
    return [
        (model, str(pattern.name))
        for model, one in pages().items()
        for pattern in one.get_urls()
        if getattr(pattern, "name", None)
    ]


def urls_of(model: type[Model], name: str) -> list[str]:
    """Return the addresses of that name: one for each row, where it is about a row."""
    (pattern,) = [p for p in pages()[model].get_urls() if getattr(p, "name", None) == name]
    wanted = set(pattern.pattern.converters)
    if not wanted:
        return [reverse(f"admin:{name}")]
    values: dict[str, list[Any]] = {
        "object_id": list(model._default_manager.values_list("pk", flat=True)),
        "reference": [REFERENCE],
        "account": ["default"],
    }
    (argument,) = wanted  # an address with another one has to be added here
    assert values[argument], f"make_everything makes no {model._meta.model_name}"
    return [reverse(f"admin:{name}", kwargs={argument: value}) for value in values[argument]]


def make_all_but(*left_out: str, name: str = "sam") -> User:
    """Return a member of staff with all permissions of ours but those."""
    user = User.objects.create_user(username=name, password="secret", is_staff=True)
    ours = Permission.objects.filter(content_type__app_label="xcover")
    user.user_permissions.set(ours.exclude(codename__in=left_out))
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shows_person(answer: Any) -> bool:
    """Return whether the person is anywhere in the answer, its messages included."""
    return NAME.lower() in answer.content.decode().lower()
