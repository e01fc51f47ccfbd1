"""What the shopper says about a trip, a parcel or a flat before it goes into the cart.

The cart keeps what was typed and reads it with the same form each time. So a line whose date has
passed, or that isn't valid in another country, is no longer in the cart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from django_xcover.types import Money, normalise_postcode
from example_shop.markets import MARKETS, Market
from example_shop.models import Kind, Product

FURTHEST = timedelta(days=330)
LONGEST_TEXT = 120


@dataclass(frozen=True, slots=True)
class Trip:
    """Dates and travellers of a flight or a stay."""

    starts: date
    ends: date
    adults: int
    children: int

    @property
    def travellers(self) -> int:
        return self.adults + self.children

    @property
    def nights(self) -> int:
        return (self.ends - self.starts).days

    def __str__(self) -> str:
        people = ngettext("%d adult", "%d adults", self.adults) % self.adults
        if self.children:
            people += ", " + ngettext("%d child", "%d children", self.children) % self.children
        return f"{_day(self.starts)} \u2013 {_day(self.ends)}, {people}"


@dataclass(frozen=True, slots=True)
class Parcel:
    """Where a parcel goes, when it is dropped off, and what is in it."""

    ships: date
    contents: str
    worth: Money
    to_country: str
    to_postcode: str

    def __str__(self) -> str:
        where = f"{self.to_postcode} {MARKETS[self.to_country].name}"
        return f"{self.contents}, {where}, {_day(self.ships)}"


@dataclass(frozen=True, slots=True)
class Flat:
    """When somebody moves into a flat, with whom and with what."""

    moves_in: date
    residents: int
    contents: Money

    def __str__(self) -> str:
        people = ngettext("%d resident", "%d residents", self.residents) % self.residents
        return gettext("from %(day)s, %(people)s") % {"day": _day(self.moves_in), "people": people}


Details = Trip | Parcel | Flat


class DetailsForm(forms.Form):
    """A form on a product's page. The amounts are in the market's currency."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        market: Market,
        initial: dict[str, str] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.market = market
        for name in self.fields:
            field = self.fields[name]
            if isinstance(field, forms.DateField):
                field.widget.attrs |= {"min": _tomorrow().isoformat()}
            if isinstance(field, forms.DecimalField):
                field.label = f"{field.label} ({market.currency})"
                places = get_currency_precision(market.currency)
                field.validators.append(DecimalValidator(max_digits=None, decimal_places=places))
                field.widget.attrs["step"] = "any"

    def details(self) -> Details:
        """Return what was typed. Requires a valid form."""
        raise NotImplementedError

    def quantity(self) -> int:
        """Return how many units of the product's price this costs."""
        return 1


def _day(value: date) -> str:
    return date_format(value, pgettext("date format", "D j M Y"))


def _tomorrow() -> date:
    return timezone.localdate() + timedelta(days=1)


def not_before_tomorrow(value: date) -> None:
    """Raise ValidationError for dates that are too early or too far away."""
    if value < _tomorrow():
        raise ValidationError(_("Please choose a date from tomorrow on."))
    if value > timezone.localdate() + FURTHEST:
        raise ValidationError(_("Please choose a date within the next eleven months."))


def date_field(label: Any) -> forms.DateField:
    """Return the field for a future date."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label, widget=widget, input_formats=["%Y-%m-%d"], validators=[not_before_tomorrow]
    )


class TripForm(DetailsForm):
    """The dates and travellers of a flight, whose price is for one traveller."""

    starts = date_field(_("Outbound"))
    ends = date_field(_("Return"))
    adults = forms.IntegerField(label=_("Adults"), min_value=1, max_value=6, initial=2)
    children = forms.IntegerField(label=_("Children"), min_value=0, max_value=6, initial=0)

    def clean(self) -> dict[str, Any]:
        """Check that the trip ends after it begins."""
        typed = self.cleaned_data
        if "starts" in typed and "ends" in typed and typed["ends"] <= typed["starts"]:
            self.add_error("ends", _("Please choose a date after the first one."))
        return typed

    def details(self) -> Trip:
        return Trip(**self.cleaned_data)

    def quantity(self) -> int:
        return self.details().travellers


class StayForm(TripForm):
    """The dates and guests of a stay, whose price is for one night."""

    starts = date_field(_("Check-in"))
    ends = date_field(_("Check-out"))

    def quantity(self) -> int:
        return self.details().nights


class ParcelForm(DetailsForm):
    """The destination and the content of a parcel."""

    contents = forms.CharField(label=_("What is in it?"), max_length=LONGEST_TEXT)
    worth = forms.DecimalField(label=_("What is it worth?"), min_value=1, max_value=10_000_000)
    to_country = forms.ChoiceField(
        label=_("Destination"),
        choices=[(market.country, market.name) for market in MARKETS.values()],
    )
    to_postcode = forms.CharField(label=_("Postcode there"), max_length=12)
    ships = date_field(_("You drop it off on"))

    def details(self) -> Parcel:
        typed = self.cleaned_data
        return Parcel(
            ships=typed["ships"],
            contents=typed["contents"],
            worth=Money(typed["worth"], self.market.currency),
            to_country=typed["to_country"],
            to_postcode=normalise_postcode(typed["to_postcode"], typed["to_country"]),
        )


class FlatForm(DetailsForm):
    """Who moves into a flat, when and with what. The address is the product's."""

    moves_in = date_field(_("You move in on"))
    residents = forms.IntegerField(label=_("Residents"), min_value=1, max_value=6, initial=1)
    contents = forms.DecimalField(
        label=_("What would your belongings cost new?"), min_value=1, max_value=100_000_000
    )

    def details(self) -> Flat:
        typed = self.cleaned_data
        contents = Money(typed["contents"], self.market.currency)
        return Flat(typed["moves_in"], typed["residents"], contents)


FORMS: dict[Kind, type[DetailsForm]] = {
    Kind.FLIGHT: TripForm,
    Kind.STAY: StayForm,
    Kind.PARCEL: ParcelForm,
    Kind.FLAT: FlatForm,
}


def form_for(
    product: Product,
    market: Market,
    typed: Mapping[str, Any] | None = None,
    *,
    initial: dict[str, str] | None = None,
) -> DetailsForm | None:
    """Return the form that the product needs, or None if it only needs a quantity."""
    form = FORMS.get(product.kind)
    return form(typed, market=market, initial=initial) if form else None


def needs_details(product: Product) -> bool:
    """Return whether the product has a form of its own instead of a quantity."""
    return product.kind in FORMS


def midnight(day: date) -> datetime:
    """Return the start of the day in the shop's time zone."""
    return timezone.make_aware(datetime.combine(day, time()))
