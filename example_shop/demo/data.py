"""Create the products, a staff user and a shopper. Running it again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from example_shop.demo.products import BOOKINGS, DEVICES, EVENTS
from example_shop.models import Product


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str
    first_name: str
    last_name: str
    is_staff: bool


STAFF = Login("staff", "staff", "Sam", "Okafor", is_staff=True)
SHOPPER = Login("robin", "robin", "Robin", "Ellis", is_staff=False)


def fill() -> None:
    """Create missing data, and move past events into the future."""
    for position, row in enumerate((*EVENTS, *BOOKINGS, *DEVICES)):
        _product(position, row)
    for login in (STAFF, SHOPPER):
        _user(login)


def _product(position: int, row: Mapping[str, Any]) -> None:
    values = {key: row[key] for key in row.keys() - {"slug", "prices", "in_days", "at"}}
    gbp, eur, jpy = (Decimal(price) for price in row["prices"])
    values |= {"position": position, "price_gbp": gbp, "price_eur": eur, "price_jpy": jpy}
    values["starts_at"] = _starts(row) if "at" in row else None
    product, is_new = Product.objects.get_or_create(slug=row["slug"], defaults=values)
    if not is_new and product.starts_at and product.starts_at < timezone.now():
        product.starts_at = values["starts_at"]
        product.save(update_fields=["starts_at"])


def _starts(row: Mapping[str, Any]) -> datetime:
    hour, minute = map(int, row["at"].split(":"))
    day = timezone.localtime() + timedelta(days=row["in_days"])
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _user(login: Login) -> None:
    user, is_new = get_user_model().objects.get_or_create(
        username=login.username,
        defaults={
            "first_name": login.first_name,
            "last_name": login.last_name,
            "email": f"{login.username}@example.com",
            "is_staff": login.is_staff,
            "is_superuser": login.is_staff,
        },
    )
    if is_new:
        user.set_password(login.password)
        user.save(update_fields=["password"])
