"""Mark the search terms of orders and ids, which staff may search without seeing personal data.

In batches, each a transaction of its own: a million packages take minutes, and the shop sells
meanwhile. What is interrupted goes on where it is run again. Until a term is marked it counts as
personal, so that nothing is revealed in between.
"""

from django.db import migrations, models

BATCH = 200


def mark_terms(apps, schema_editor):
    # As in 0014: a change of the rules for terms has to write all of them again.
    from django_xcover.mirror.search_terms import LONGEST_TERM, impersonal_terms_of

    # Never from a replica, which can be behind.
    alias = schema_editor.connection.alias
    Package = apps.get_model("xcover", "QuotePackage").objects.using(alias)
    Quote = apps.get_model("xcover", "Quote").objects.using(alias)
    Term = apps.get_model("xcover", "SearchTerm").objects.using(alias)
    ordered = Package.exclude(order_reference="").order_by("pk").defer("payload")
    last = 0
    ids = Quote.only("package", "quote_id", "status")
    quotes = models.Prefetch("quotes", ids)
    while batch := list(ordered.filter(pk__gt=last).prefetch_related(quotes)[:BATCH]):
        impersonal = {
            (package.pk, term[:LONGEST_TERM])
            for package in batch
            for term in impersonal_terms_of(package, _policies(package))
        }
        written = Term.filter(package__in=[package.pk for package in batch])
        found = [
            pk
            for pk, package, term in written.values_list("pk", "package_id", "term")
            if (package, term) in impersonal
        ]
        Term.filter(pk__in=found).update(is_personal=False)
        last = batch[-1].pk


def _policies(package):
    booked = ("PENDING_PAYMENT", "CONFIRMED", "CANCELLED", "RENEWED")
    return [quote.quote_id for quote in package.quotes.all() if quote.status in booked]


def take_marks_back(apps, schema_editor):
    Term = apps.get_model("xcover", "SearchTerm").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := list(Term.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # Most terms are personal already, and aren't locked or written again.
        Term.filter(pk__in=batch, is_personal=False).update(is_personal=True)
        last = batch[-1]


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("xcover", "0018_search_without_people"),
    ]

    operations = [
        migrations.RunPython(mark_terms, take_marks_back),
    ]
