"""Forwarding a shop's own signal."""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal

from django_xcover.signals import forward


def test_a_shops_own_signal_stands_for_ours() -> None:
    order_paid, ours = Signal(), Signal()
    heard: list[dict[str, Any]] = []
    ours.connect(lambda **kwargs: heard.append(kwargs), weak=False)

    forward(order_paid, to=ours, order="instance", cart="basket")
    forward(order_paid, to=ours, order="instance", cart="basket")
    order_paid.send(sender=str, instance="the order", basket="the basket", extra=1)

    assert len(heard) == 1
    assert (heard[0]["sender"], heard[0]["order"], heard[0]["cart"]) == (
        str,
        "the order",
        "the basket",
    )


def test_a_signal_without_a_cart_is_forwarded_without_one() -> None:
    order_paid, ours = Signal(), Signal()
    heard: list[Any] = []
    ours.connect(lambda **kwargs: heard.append(kwargs["cart"]), weak=False)

    forward(order_paid, to=ours)
    order_paid.send(sender=str, order="the order")

    assert heard == [None]
