"""The terms by which staff find a package."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import TermField
from django_xcover.models.package import QuotePackage

LONGEST_TERM = 254


class SearchTerm(models.Model):
    """A term in lower case by whose beginning staff can find a package.

    There is a term for the order number, for each id, and for each word of the policyholder's name
    and e-mail address, so that an index finds the beginning of any word on every database. The
    policyholder's terms are personal data, like the columns they come from, and are searched only
    for users who may see personal data.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="terms", on_delete=models.CASCADE
    )
    term = TermField(_("term"), max_length=LONGEST_TERM)
    # Unclassified terms are hidden. The `db_default` is for workers of the previous version, which
    # still write terms while the shop is being updated.
    is_personal = models.BooleanField(default=True, db_default=True, editable=False)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("search term")
        verbose_name_plural = _("search terms")
        default_permissions = ()
        constraints = (
            # The term comes first, because searches look it up.
            models.UniqueConstraint(fields=("term", "package"), name="xcover_term_once"),
        )

    def __str__(self) -> str:
        return f"{self.package_id}"
