"""Give each package that is flagged a row for its flag. The column stays, so going back loses none."""

from django.db import migrations

BATCH = 1000


def add_flags(apps, schema_editor):
    # Not where the shop's router reads: a replica may lag, or not have the tables yet.
    alias = schema_editor.connection.alias
    Package = apps.get_model("xcover", "QuotePackage")
    Flag = apps.get_model("xcover", "Flag")
    flagged = Package.objects.using(alias).exclude(attention="")
    rows = flagged.values_list("pk", "attention", "updated_at").order_by("pk")
    batch = []
    for pk, reason, at in rows.iterator(chunk_size=BATCH):
        batch.append(Flag(package_id=pk, reason=reason, raised_at=at))
        if len(batch) == BATCH:
            Flag.objects.using(alias).bulk_create(batch)
            batch = []
    Flag.objects.using(alias).bulk_create(batch)


class Migration(migrations.Migration):

    dependencies = [
        ("xcover", "0004_history_search_and_corrections"),
    ]

    operations = [
        migrations.RunPython(add_flags, migrations.RunPython.noop),
    ]
