"""Form fields that several acts ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.models import Quote, QuotePackage, Status
from django_xcover.services.amounts import format_amount
from django_xcover.services.next_steps import moment


class AmountField(forms.DecimalField):
    """An amount of money, exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=19, decimal_places=4, **kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}


class ReferenceField(forms.CharField):
    """The shop's own reference of a payment."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Reference"))
        super().__init__(max_length=100, required=False, **kwargs)
        self.widget.attrs |= {"autocomplete": "off"}


class PolicyChoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Policies, each with its price and period."""

    def label_from_instance(self, obj: Any) -> str:
        parts = [obj.label, obj.policy_name, format_amount(obj.cost)]
        if obj.policy_end_date:
            parts.append(_("until %(when)s") % {"when": moment(obj.policy_end_date)})
        return " · ".join(part for part in parts if part)


def policies_field(package: QuotePackage) -> PolicyChoices:
    """Return the choice among the policies of `package` that are in force.

    A single one is chosen already; of several nobody cancels one by forgetting to look.
    """
    in_force = Quote.objects.select_related("package").filter(
        package=package, status=Status.CONFIRMED
    )
    rows = in_force.defer("payload", "request", "package__payload").order_by("position")
    alone = list(rows) if len(rows) == 1 else None
    return PolicyChoices(
        rows,
        label=gettext_lazy("Policies"),
        widget=forms.CheckboxSelectMultiple,
        initial=alone,
    )
