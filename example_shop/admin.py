"""The admin of the shop's products and orders."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from example_shop import orders
from example_shop.models import Order, OrderLine, Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "category", "starts_at", "price_gbp", "price_eur", "price_jpy")
    list_filter = ("category",)
    search_fields = ("name",)


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg]
    model = OrderLine
    extra = 0
    can_delete = False
    readonly_fields = ("product", "name", "starts_at", "location", "quantity", "unit_price")

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Orders are read-only; staff can only record that a payment has arrived."""

    list_display = ("number", "last_name", "payment", "total", "placed_at", "paid_at")
    list_filter = ("payment", ("paid_at", admin.EmptyFieldListFilter))
    search_fields = ("number", "last_name", "email")
    readonly_fields = ("number", "cart_reference", "user", "payment", "currency", "goods_total",
                       "premium", "dual_payment", "placed_at", "paid_at")  # fmt: skip
    inlines = (OrderLineInline,)
    actions = ("mark_paid",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=_("Record that the money has arrived"), permissions=["change"])
    def mark_paid(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        paid = sum(orders.pay(order) for order in queryset)
        text = ngettext("%d order is paid now.", "%d orders are paid now.", paid) % paid
        messages.success(request, text)
