"""The permanent record of what a shopper was shown and chose."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField
from django_xcover.models.package import Quote, QuotePackage
from django_xcover.models.status import Choice


class DecisionsAreFinal(TypeError):
    """Code tried to change or delete a recorded decision."""


class DecisionQuerySet(models.QuerySet["Decision"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise DecisionsAreFinal("Decisions are appended, never changed.")

    def delete(self) -> NoReturn:
        raise DecisionsAreFinal("Decisions are appended, never removed.")


class Decision(models.Model):
    """The answer, or the lack of one, to one offered quote. Append-only.

    Charging for cover requires active acceptance (FCA ban on opt-out selling, PS15/22; EU consumer
    rights directive, art. 22), so the content of the page is recorded with it: `shown` contains the
    wording and the documents, `wording_hash` its SHA-256, `template_version` the version of the
    template that rendered it.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="decisions", on_delete=models.PROTECT
    )
    quote = models.ForeignKey(
        Quote, verbose_name=_("quote"), related_name="decisions", on_delete=models.PROTECT
    )
    choice = models.CharField(_("choice"), max_length=16, choices=Choice)
    price = AmountField(_("price shown"))
    currency = models.CharField(_("currency"), max_length=3)
    # The instalment plan chosen with an acceptance, "" for a single payment.
    instalment_plan = models.CharField(_("instalment plan"), max_length=64, blank=True, default="")
    locale = models.CharField(_("locale"), max_length=10)
    shown = models.JSONField(_("shown"), encoder=DjangoJSONEncoder)
    wording_hash = models.CharField(_("wording"), max_length=64)
    template_version = models.CharField(_("template version"), max_length=20)
    shopper_reference = models.CharField(_("shopper reference"), max_length=100, blank=True)
    order_reference = models.CharField(_("order reference"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("chosen at"), auto_now_add=True, db_index=True)

    objects = WriterManager.from_queryset(DecisionQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ("-pk",)
        # For the list of one choice, newest first. Withdrawn ones are rare.
        indexes = (models.Index(fields=("choice", "id"), name="xcover_decision_choice"),)

    def __str__(self) -> str:
        return f"{self.get_choice_display()} ({self.price:f} {self.currency})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise DecisionsAreFinal("Decisions are appended, never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise DecisionsAreFinal("Decisions are appended, never removed.")
