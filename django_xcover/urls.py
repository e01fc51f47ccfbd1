"""PUBLIC: mount these at `path("xcover/", include("django_xcover.urls"))`."""

from __future__ import annotations

from django.urls import include, path

from django_xcover import converters  # noqa: F401 - registers what `path` takes
from django_xcover.checkout import after_sale, views

app_name = "xcover"

urlpatterns = [
    path("offer/", views.offer, name="offer"),
    path("offer/page/", views.offer_page, name="offer_page"),
    path("price/", views.price, name="price"),
    path("choose/", views.choose, name="choose"),
    path("element/", views.element, name="element"),
    path("documents/<xcover_id:quote_id>/<slug:kind>/", views.document, name="document"),
    path("after-sale/<str:token>/", after_sale.page, name="after_sale"),
    path("after-sale/<str:token>/offer/", after_sale.offer, name="after_sale_offer"),
    path("mycover/", include("django_xcover.account.urls")),
    path("webhooks/", include("django_xcover.webhooks.urls")),
]
