"""PUBLIC: Celery tasks. Their arguments are primary keys only, so a broker carries no data.

With another `XCOVER["RUNNER"]`, Django's tasks framework or `manage.py xcover_work` calls them.
"""

from __future__ import annotations

from celery import Task, shared_task

from django_xcover import exceptions, safe_logging, worker
from django_xcover.booking import overdue_payments
from django_xcover.client import XCoverError
from django_xcover.conf import get_config
from django_xcover.exceptions import code_of
from django_xcover.mirror import history
from django_xcover.models import Cancellation, QuotePackage, Withdrawal
from django_xcover.offers import counts, holds, statistics
from django_xcover.orders import events
from django_xcover.outbox import lease, operations, runners
from django_xcover.outbox.publisher import Publisher
from django_xcover.policies import instalments, modification, renewal, withdrawal
from django_xcover.support import erasure
from django_xcover.sync import reconciliation, webhooks
from django_xcover.tracebacks import clears_frames

__all__ = [
    "count_offers",
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
    """Dispatch operations that were lost or have become due. Schedule it every half minute or so.

    It also resolves frozen premiums without an order, and retries orders that couldn't be settled.
    """
    operations.sweep()
    for pk in withdrawal.sweep():
        runners.send(send_withdrawal_email, pk)
    lease.record_sweep()
    events.sweep()
    holds.sweep()


@shared_task(name="django_xcover.tasks.send_withdrawal_email", ignore_result=True)
@clears_frames
def send_withdrawal_email(pk: int) -> None:
    """Send the receipt of a withdrawal, or its refund notice. The sweep retries failures."""
    withdrawal.send_due(pk)


@shared_task(name="django_xcover.tasks.find_due_renewals", ignore_result=True)
@clears_frames
def find_due_renewals() -> None:
    """Find cover that ends soon, and have each renewal quoted. Schedule it once a day."""
    for row in renewal.find_due():
        runners.send(prepare_renewal, row.pk)


@shared_task(name="django_xcover.tasks.prepare_renewal", ignore_result=True)
@clears_frames
def prepare_renewal(pk: int) -> None:
    """Quote one renewal, and have the customer notified."""
    renewal.prepare(pk)


@shared_task(name="django_xcover.tasks.sweep_instalments", ignore_result=True, expires=STALE)
@clears_frames
def sweep_instalments() -> None:
    """Dispatch the payment schedules that haven't been read. Schedule it every few minutes."""
    for package in instalments.unmirrored():
        runners.send(mirror_instalments, package.pk)


@shared_task(name="django_xcover.tasks.mirror_instalments", ignore_result=True)
@clears_frames
def mirror_instalments(pk: int) -> None:
    """Read the instalments of one booking. The sweep retries failures."""
    try:
        instalments.mirror(QuotePackage.objects.get(pk=pk))
    except XCoverError as error:
        logger.warning("No instalments of package %s yet: %s", pk, code_of(error))


@shared_task(name="django_xcover.tasks.sweep_unpaid", ignore_result=True)
@clears_frames
def sweep_unpaid() -> None:
    """Flag pending bookings that were never paid, and end changes whose quote is outdated.

    Schedule it once a day.
    """
    overdue_payments.sweep()
    modification.give_up_outdated()


@shared_task(name="django_xcover.tasks.reconcile", ignore_result=True)
@clears_frames
def reconcile() -> None:
    """Compare XCover's bookings with ours, account by account. Schedule it once an hour.

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
    except XCoverError as unusable:  # for example, unusable credentials
        error = unusable
    except Exception as problem:  # noqa: BLE001 - it must not hold up the other accounts
        description = safe_logging.describe(problem)
        logger.error(  # noqa: TRY400
            "Account %s could not be reconciled: %s", account, description
        )
        return
    if error is not None:
        logger.warning("Account %s is not reconciled yet: %s", account, code_of(error))


@shared_task(name="django_xcover.tasks.process_delivery", ignore_result=True)
@clears_frames
def process_delivery(pk: int) -> None:
    """Process one webhook."""
    webhooks.process(pk)


@shared_task(name="django_xcover.tasks.sweep_webhooks", ignore_result=True, expires=STALE)
@clears_frames
def sweep_webhooks() -> None:
    """Dispatch webhooks that were lost or are due again. Schedule it every half minute or so."""
    webhooks.sweep()


@shared_task(name="django_xcover.tasks.forget_webhooks", ignore_result=True)
@clears_frames
def forget_webhooks() -> None:
    """Delete old webhooks. Schedule it once a day."""
    webhooks.forget()


@shared_task(name="django_xcover.tasks.count_offers", ignore_result=True, expires=STALE)
@clears_frames
def count_offers() -> None:
    """Sum up the offers of the past days, and delete old hourly counts. Schedule it once an hour.

    The sums are kept, because they are the shop's history.
    """
    statistics.sum_up()
    counts.forget()


@shared_task(name="django_xcover.tasks.forget_personal_data", ignore_result=True)
@clears_frames
def forget_personal_data() -> None:
    """Delete packages that were never ordered, and old records. Schedule it once a day.

    The records are those of accesses, of cancellations kept for orders that came later, and the
    API's answers to requests with an `Idempotency-Key`.
    """
    erasure.forget_unordered()
    erasure.forget_answers()
    events.forget()
    history.forget_accesses()


def dispatch_operation(sender: object, *, pk: int, **kwargs: object) -> None:
    """Send the operation to a worker, without waiting for the broker."""
    _dispatch(run_operation, publisher, pk)


def dispatch_delivery(sender: object, *, pk: int, **kwargs: object) -> None:
    """Send the webhook to a worker, without waiting for the broker."""
    _dispatch(process_delivery, delivery_publisher, pk)


def acknowledge_withdrawal(sender: object, *, withdrawal: Withdrawal, **kwargs: object) -> None:
    """Have a worker send the receipt of a withdrawal, without waiting for the broker."""
    _dispatch(send_withdrawal_email, withdrawal_publisher, withdrawal.pk)


def announce_refund(sender: object, *, cancellation: Cancellation, **kwargs: object) -> None:
    """Have a worker notify a customer who withdrew of the refund.

    Runs in a worker, where cancellations are carried out. The sweep finds lost tasks.
    """
    for pk in Withdrawal.objects.filter(cancellation=cancellation).values_list("pk", flat=True):
        runners.send(send_withdrawal_email, pk)


def read_schedule(sender: object, *, package: QuotePackage, **kwargs: object) -> None:
    """Have the instalments of a new or renewed booking read, if it has any.

    Runs in a worker, where bookings are made. The sweep finds lost tasks.
    """
    if instalments.has_plan(package):
        runners.send(mirror_instalments, package.pk)


def _dispatch(task: Task[[int], None], publisher: Publisher, pk: int) -> None:
    if not runners.may_wait():
        runners.send(task, pk)
    elif not publisher.offer(pk):
        what = publisher.what
        logger.warning("%s %s waits for the sweeper: the broker is too slow.", what, pk)


def _publisher(task: Task[[int], None], what: str) -> Publisher:
    return Publisher(lambda pk: runners.send(task, pk), what=what)


publisher = _publisher(run_operation, "Operation")
withdrawal_publisher = _publisher(send_withdrawal_email, "Withdrawal")
# A separate queue, so that a burst of webhooks doesn't displace bookings.
delivery_publisher = _publisher(process_delivery, "Webhook")
