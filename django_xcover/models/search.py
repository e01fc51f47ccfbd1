"""What an order's package is searched by."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import TermField
from django_xcover.models.package import QuotePackage

LONGEST_TERM = 254


class SearchTerm(models.Model):
    """The beginning of something that staff type to find a package, in lower case.

    A term for the order's number, one for each id, and one for each word of the policyholder's name
    and e-mail address: what begins anywhere in them is found by an index, on every database.
    They are personal data as the columns that they come from.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="terms", on_delete=models.CASCADE
    )
    term = TermField(_("term"), max_length=LONGEST_TERM)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("search term")
        verbose_name_plural = _("search terms")
        default_permissions = ()
        constraints = (
            # The term first: it is what is looked up.
            models.UniqueConstraint(fields=("term", "package"), name="xcover_term_once"),
        )

    def __str__(self) -> str:
        return f"{self.package_id}"
