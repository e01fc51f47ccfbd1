"""PUBLIC: Celery tasks. Ids in, services called; brokers never carry more than primary keys."""

from __future__ import annotations

from celery import Task, shared_task

from django_xcover import exceptions, safe_logging, worker
from django_xcover.booking import overdue_payments
from django_xcover.client import XCoverError
from django_xcover.conf import get_config
from django_xcover.exceptions import code_of
from django_xcover.mirror import access_log
from django_xcover.models import Cancellation, QuotePackage, Withdrawal
from django_xcover.offers import counts, holds
from django_xcover.orders import events
from django_xcover.outbox import heartbeat, operations
from django_xcover.outbox.publisher import Publisher
from django_xcover.policies import instalments, modification
from django_xcover.policies import renewal as renewing
from django_xcover.policies import withdrawal as withdrawing
from django_xcover.support import erasure
from django_xcover.sync import reconciliation, webhooks
from django_xcover.tracebacks import clears_frames

__all__ = [
    "find_due_renewals",
    "forget_personal_data",
    "forget_webhooks",
    "mirror_instalments",
    "prepare_renewal",
    "process_delivery",
    "reconcile",
    "run_operation",
    "send_withdrawal_email",
    "sweep_instalments",
    "sweep_operations",
    "sweep_unpaid",
    "sweep_webhooks",
]

logger = safe_logging.get_logger("django_xcover.worker")

# The longest that reconciling one account may occupy a worker; the next run continues from there.
RECONCILE_SECONDS = 300.0
# Seconds. While no worker runs, beat's sweeps pile up in the queue: a thousand in a night.
# Each would dispatch the same rows and delay the morning's bookings. Long enough to allow for
# clocks that differ between machines.
STALE = 300


@shared_task(name="django_xcover.tasks.run_operation", ignore_result=True)
@clears_frames
def run_operation(pk: int) -> None:
    """Make one attempt at an operation."""
    worker.run(pk)


@shared_task(name="django_xcover.tasks.sweep_operations", ignore_result=True, expires=STALE)
@clears_frames
def sweep_operations() -> None:
    """Hand over what was lost or has become due. Let beat send it every half minute or so.

    It also finds the premiums that were frozen and for which no order came, and asks the shop's
    adapter again about the orders that could not be settled.
    """
    operations.sweep()
    for pk in withdrawing.sweep():
        send_withdrawal_email.apply_async((pk,), retry=False)
    heartbeat.swept()
    events.sweep()
    holds.sweep()


@shared_task(name="django_xcover.tasks.send_withdrawal_email", ignore_result=True)
@clears_frames
def send_withdrawal_email(pk: int) -> None:
    """Send the receipt of a withdrawal, or what comes back; what fails is left to the sweep."""
    withdrawing.send_due(pk)


@shared_task(name="django_xcover.tasks.find_due_renewals", ignore_result=True)
@clears_frames
def find_due_renewals() -> None:
    """Note which cover ends soon, and have each renewal quoted and told. Once a day will do."""
    for renewal in renewing.find_due():
        prepare_renewal.delay(renewal.pk)


@shared_task(name="django_xcover.tasks.prepare_renewal", ignore_result=True)
@clears_frames
def prepare_renewal(pk: int) -> None:
    """Quote one renewal, and have the customer told."""
    renewing.prepare(pk)


@shared_task(name="django_xcover.tasks.sweep_instalments", ignore_result=True, expires=STALE)
@clears_frames
def sweep_instalments() -> None:
    """Have the schedules read that no task has read yet. Let beat send it every few minutes."""
    for package in instalments.unmirrored():
        mirror_instalments.delay(package.pk)


@shared_task(name="django_xcover.tasks.mirror_instalments", ignore_result=True)
@clears_frames
def mirror_instalments(pk: int) -> None:
    """Read the instalments of one booking; what fails is left to the sweep."""
    try:
        instalments.mirror(QuotePackage.objects.get(pk=pk))
    except XCoverError as error:
        logger.warning("No instalments of package %s yet: %s", pk, code_of(error))


@shared_task(name="django_xcover.tasks.sweep_unpaid", ignore_result=True)
@clears_frames
def sweep_unpaid() -> None:
    """Flag the pending bookings that were never paid, and end the changes that nobody can pay.

    Once a day will do.
    """
    overdue_payments.sweep()
    modification.give_up_outdated()


@shared_task(name="django_xcover.tasks.reconcile", ignore_result=True)
@clears_frames
def reconcile() -> None:
    """Compare XCover's bookings with ours, account by account. Once an hour will do.

    Each account gets RECONCILE_SECONDS; the next run continues with the rest.
    """
    for account in get_config().accounts:
        _reconcile(account)


def _reconcile(account: str) -> None:
    try:
        error = reconciliation.reconcile(account, fix=True, seconds=RECONCILE_SECONDS).error
    except exceptions.ReconciliationUnderWay as other:
        logger.info("%s", other)
        return
    except XCoverError as unusable:  # credentials that no call can be made with
        error = unusable
    except Exception as problem:  # noqa: BLE001 - it must not keep the other accounts waiting
        said = safe_logging.describe(problem)
        logger.error("Account %s could not be reconciled: %s", account, said)  # noqa: TRY400
        return
    if error is not None:
        logger.warning("Account %s is not reconciled yet: %s", account, code_of(error))


@shared_task(name="django_xcover.tasks.process_delivery", ignore_result=True)
@clears_frames
def process_delivery(pk: int) -> None:
    """Look into one webhook."""
    webhooks.process(pk)


@shared_task(name="django_xcover.tasks.sweep_webhooks", ignore_result=True, expires=STALE)
@clears_frames
def sweep_webhooks() -> None:
    """Hand over the webhooks that were lost or are to be tried again. Every half minute or so."""
    webhooks.sweep()


@shared_task(name="django_xcover.tasks.forget_webhooks", ignore_result=True)
@clears_frames
def forget_webhooks() -> None:
    """Delete old webhooks, and old counts of offers. Once a day will do."""
    webhooks.forget()
    counts.forget()


@shared_task(name="django_xcover.tasks.forget_personal_data", ignore_result=True)
@clears_frames
def forget_personal_data() -> None:
    """Delete packages that were never ordered, and old records of accesses. Once a day will do."""
    erasure.forget_unordered()
    access_log.forget()


def hand_over(sender: object, *, pk: int, **kwargs: object) -> None:
    """Have the operation sent to a worker, without waiting for the broker."""
    _hand_over(run_operation, publisher, pk)


def hand_over_delivery(sender: object, *, pk: int, **kwargs: object) -> None:
    """Have the webhook sent to a worker, without waiting for the broker."""
    _hand_over(process_delivery, delivery_publisher, pk)


def acknowledge_withdrawal(sender: object, *, withdrawal: Withdrawal, **kwargs: object) -> None:
    """Have the receipt of a withdrawal sent, without waiting for the broker."""
    _hand_over(send_withdrawal_email, withdrawal_publisher, withdrawal.pk)


def announce_refund(sender: object, *, cancellation: Cancellation, **kwargs: object) -> None:
    """Have a customer who withdrew written to, now that the refund is known.

    Sent from a worker, in which cancellations are carried out; the sweep finds what is lost.
    """
    for pk in Withdrawal.objects.filter(cancellation=cancellation).values_list("pk", flat=True):
        send_withdrawal_email.apply_async((pk,), retry=False)


def read_schedule(sender: object, *, package: QuotePackage, **kwargs: object) -> None:
    """Have the instalments of a booking read that was just made or renewed, if it has any.

    Sent from a worker, in which bookings are made. A task that is lost is made up for by the sweep.
    """
    if instalments.has_plan(package):
        mirror_instalments.apply_async((package.pk,), retry=False)


def _hand_over(task: Task[[int], None], publisher: Publisher, pk: int) -> None:
    if task.app.conf.task_always_eager:
        task.delay(pk)
    elif not publisher.offer(pk):
        what = publisher.what
        logger.warning("%s %s waits for the sweeper: the broker does not keep up.", what, pk)


def _publisher(task: Task[[int], None], what: str) -> Publisher:
    return Publisher(lambda pk: task.apply_async((pk,), retry=False), what=what)


publisher = _publisher(run_operation, "Operation")
withdrawal_publisher = _publisher(send_withdrawal_email, "Withdrawal")
# A queue of its own: a burst of webhooks must not push bookings out of theirs.
delivery_publisher = _publisher(process_delivery, "Webhook")
