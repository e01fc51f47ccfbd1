"""The URLs of the API: `path("xcover/api/v1/", include("django_xcover.api.urls"))`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from django_xcover import converters  # noqa: F401 - registers the path converters
from django_xcover.api import after_sale, offers, policies, workflows
from django_xcover.api.base import MissingView

app_name = "xcover_api"

_cancellation = [
    path("", workflows.CancellationView.as_view(), name="cancellation"),
    path("confirm/", workflows.ConfirmCancellationView.as_view(), name="confirm_cancellation"),
]
_modification = [
    path("", workflows.ModificationView.as_view(), name="modification"),
    path("confirm/", workflows.ConfirmModificationView.as_view(), name="confirm_modification"),
    path("abandon/", workflows.AbandonModificationView.as_view(), name="abandon_modification"),
]
_renewal = [
    path("", workflows.RenewalView.as_view(), name="renewal"),
    path("price/", workflows.PriceRenewalView.as_view(), name="price_renewal"),
    path("decline/", workflows.DeclineRenewalView.as_view(), name="decline_renewal"),
]
_policy: list[URLPattern | URLResolver] = [
    path("", policies.DetailsView.as_view(), name="policy"),
    path("documents/<slug:kind>/", policies.DocumentView.as_view(), name="document"),
    path("email/", policies.EmailView.as_view(), name="email"),
    path("instalments/", policies.InstalmentsView.as_view(), name="instalments"),
    path("cancellations/", workflows.CancellationsView.as_view(), name="cancellations"),
    path("cancellations/<int:pk>/", include(_cancellation)),
    path("modifications/", workflows.ModificationsView.as_view(), name="modifications"),
    path("modifications/<int:pk>/", include(_modification)),
    path("renewals/<int:pk>/", include(_renewal)),
]

urlpatterns = [
    path("offer/", offers.OfferView.as_view(), name="offer"),
    path("price/", offers.PriceView.as_view(), name="price"),
    path("choice/", offers.ChoiceView.as_view(), name="choice"),
    path(
        "orders/<path:reference>/cover/",
        offers.OrderCoverView.as_view(),
        name="order_cover",
    ),
    path(
        "orders/<path:reference>/offer/",
        after_sale.AfterSaleView.as_view(),
        name="after_sale",
    ),
    path("policies/", policies.PoliciesView.as_view(), name="policies"),
    # XCover's ids have letters, digits and dashes (Quotes API: identifiers).
    path("policies/<xcover_id:quote_id>/", include(_policy)),
    # Instead of the shop's page, which is HTML.
    re_path("", MissingView.as_view(), name="missing"),
]
