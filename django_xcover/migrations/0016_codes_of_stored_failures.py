"""What an error is kept as: a code that never changes, no longer the name of a Python class.

In batches, outside one long transaction; what is interrupted goes on where it is run again.
Names of errors that are not this package's (`KeyError`) stay as they are.
"""

from django.db import migrations
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Substr

CODES = {
    "AuthenticationFailed": "authentication_failed",
    "CircuitOpen": "circuit_open",
    "ConfigurationError": "configuration_error",
    "Conflict": "conflict",
    "ConnectionFailed": "connection_failed",
    "DeadlineExceeded": "deadline_exceeded",
    "GivenUp": "given_up",
    "HeldBack": "held_back",
    "InvalidPayload": "invalid_payload",
    "Locked": "locked",
    "NoTimeLeft": "no_time_left",
    "NotFound": "not_found",
    "RequestRefused": "request_refused",
    "ServerFault": "server_fault",
    "Throttled": "throttled",
    "Undecided": "outcome_unknown",
    "UnexpectedAnswer": "unexpected_answer",
    "UnusableValue": "unusable_value",
    "Unworkable": "cannot_perform",
    "ValidationFailed": "validation_failed",
    "WorkerDied": "worker_died",
    "XCoverError": "xcover_error",
}
# Where a text begins with the name.
TEXTS = ("Attempt", "OrderEvent", "Reconciliation", "WebhookDelivery")
BATCH = 500


def to_codes(apps, schema_editor):
    _rename(apps, schema_editor, CODES)


def to_names(apps, schema_editor):
    _rename(apps, schema_editor, {code: name for name, code in CODES.items()})


def _rename(apps, schema_editor, names):
    # Not where the shop's router reads: a replica may lag, or not have the tables yet.
    alias = schema_editor.connection.alias
    for model in TEXTS:
        for old, new in names.items():
            _rename_text(apps.get_model("xcover", model).objects.using(alias), old, new)
    _rename_operations(apps.get_model("xcover", "Operation").objects.using(alias), names)


def _rename_text(rows, old, new):
    # Whole words: "Locked" and not "LockedOut".
    named = Q(error=old) | Q(error__startswith=f"{old}:") | Q(error__startswith=f"{old} (")
    rest = Substr(F("error"), len(old) + 1)
    rows.filter(named).update(error=Concat(Value(new), rest))


def _rename_operations(operations, names):
    rows = operations.filter(error__has_key="type").order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last).only("pk", "error")[:BATCH]):
        last = batch[-1].pk
        changed = [row for row in batch if row.error["type"] in names]
        for row in changed:
            row.error = {**row.error, "type": names[row.error["type"]]}
        operations.bulk_update(changed, ["error"])


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("xcover", "0015_health_and_access_log"),
    ]

    operations = [
        migrations.RunPython(to_codes, to_names),
    ]
