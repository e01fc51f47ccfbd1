"""What a cart's shopper accepted and its open package no longer offers: until now in retired quotes."""

from django.db import migrations, models


def note_lost(apps, schema_editor):
    # Not where the shop's router reads: a replica may lag, or not have the tables yet.
    alias = schema_editor.connection.alias
    packages = apps.get_model("xcover", "QuotePackage").objects.using(alias)
    rows = apps.get_model("xcover", "Quote").objects.using(alias).filter(
        package__status="RECEIVED", package__order_reference=""
    )
    retired = rows.filter(choice="", lapsed_price__isnull=False).exclude(status="RECEIVED").order_by("pk")
    lost = {}
    for quote in retired.iterator():
        entry = {
            "line": quote.line_reference,
            "label": quote.label,
            "amount": f"{quote.lapsed_price:f}",
            "currency": quote.lapsed_currency,
            # Whether the shop still asks for the line is in its cart, which is not stored.
            "is_asked": False,
        }
        lost.setdefault(quote.package_id, {})[quote.line_reference] = entry
    for package, entries in lost.items():
        offered = rows.filter(package=package, status="RECEIVED")
        for line in offered.values_list("line_reference", flat=True):
            entries.pop(line, None)
        packages.filter(pk=package).update(lost_cover=list(entries.values()))


class Migration(migrations.Migration):

    dependencies = [
        ("xcover", "0016_codes_of_stored_failures"),
    ]

    operations = [
        migrations.AddField(
            model_name="quotepackage",
            name="lost_cover",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
        migrations.RunPython(note_lost, migrations.RunPython.noop),
    ]
