"""Let the packages that were ordered before be found: a term for each word of what names them.

In batches, each a transaction of its own: a million packages take minutes, and the shop sells
meanwhile. What is interrupted goes on where it is run again.
"""

from django.db import migrations
from django.db.models import Prefetch

BATCH = 500


def add_terms(apps, schema_editor):
    # The rules by which terms are made, at the time of this migration and later, are the same:
    # whoever changes them has all terms written anew.
    from django_xcover.mirror.search_terms import terms_of

    # Not where the shop's router reads: a replica may lag, or not have the tables yet.
    alias = schema_editor.connection.alias
    Package = apps.get_model("xcover", "QuotePackage")
    quotes = Prefetch("quotes", apps.get_model("xcover", "Quote").objects.using(alias))
    Term = apps.get_model("xcover", "SearchTerm")
    ordered = Package.objects.using(alias).exclude(order_reference="").order_by("pk")
    last = 0
    while batch := list(ordered.filter(pk__gt=last).prefetch_related(quotes)[:BATCH]):
        rows = [
            Term(package=package, term=term[:254])
            for package in batch
            for term in terms_of(package, _policies(package))
            if term
        ]
        Term.objects.using(alias).bulk_create(rows, ignore_conflicts=True)
        last = batch[-1].pk


def _policies(package):
    booked = ("PENDING_PAYMENT", "CONFIRMED", "CANCELLED", "RENEWED")
    return [quote.quote_id for quote in package.quotes.all() if quote.status in booked]


def remove_terms(apps, schema_editor):
    Term = apps.get_model("xcover", "SearchTerm").objects.using(schema_editor.connection.alias)
    while batch := list(Term.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        Term.filter(pk__in=batch).delete()


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("xcover", "0013_quicker_lists"),
    ]

    operations = [
        migrations.RunPython(add_terms, remove_terms),
    ]
