"""Which basket line an order line was placed from. Oscar's order lines don't know it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class LineReference(models.Model):
    """The `line_reference` of the basket line that an order line was placed from.

    Kept here, because Oscar deletes the basket's lines together with a product, and the cover of
    an order has to be cancelled then as well.
    """

    line = models.OneToOneField(
        "order.Line",
        verbose_name=_("order line"),
        related_name="xcover_reference",
        on_delete=models.CASCADE,
    )
    reference = models.CharField(_("reference"), max_length=128)

    def __str__(self) -> str:
        return self.reference
