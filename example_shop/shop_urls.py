"""The shop's pages."""

from __future__ import annotations

from django.urls import path

from example_shop.views import (
    cart,
    catalogue,
    checkout,
    cover,
    gallery,
    orders,
    preferences,
    wallet,
)

app_name = "shop"
urlpatterns = [
    path("", catalogue.home, name="home"),
    path("products/<slug:slug>/", catalogue.product, name="product"),
    path("cart/", cart.show, name="cart"),
    path("cart/<slug:slug>/add/", cart.add, name="add"),
    path("cart/<slug:slug>/", cart.update, name="update"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("checkout/summary/", checkout.summary, name="summary"),
    path("orders/", orders.index, name="orders"),
    path("orders/open/<str:token>/", orders.open_by_link, name="open"),
    path("orders/<str:number>/", orders.show, name="order"),
    path("orders/<str:number>/pay/", orders.pay, name="pay"),
    path("orders/<str:number>/card/", orders.card, name="card"),
    path("orders/<str:number>/transfer/", orders.transfer, name="transfer"),
    path("wallet/<str:reference>/", wallet.show, name="wallet"),
    path("wallet/<str:reference>/approve/", wallet.approve, name="wallet_approve"),
    path("wallet/<str:reference>/decline/", wallet.decline, name="wallet_decline"),
    path("cover/pay/<slug:kind>/<str:reference>/", cover.pay, name="pay_cover"),
    path("preferences/", preferences.save, name="preferences"),
    path("gallery/", gallery.show, name="gallery"),
    path("gallery/offer/", gallery.offer, name="gallery_offer"),
]
