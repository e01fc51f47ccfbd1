"""The URLs of "My cover", included under `mycover/` by `django_xcover.urls`."""

from __future__ import annotations

from django.urls import path

from django_xcover import converters  # noqa: F401 - registers the path converters
from django_xcover.account import cancellation, modification, policies, renewal, withdrawal

urlpatterns = [
    path("", policies.index, name="my_cover"),
    path("policies/<xcover_id:quote_id>/", policies.policy, name="policy"),
    path("policies/<xcover_id:quote_id>/email/", policies.send_documents, name="send_documents"),
    path("policies/<xcover_id:quote_id>/cancel/", cancellation.preview, name="cancel"),
    path(
        "policies/<xcover_id:quote_id>/cancellations/<int:pk>/",
        cancellation.cancellation,
        name="cancellation",
    ),
    path(
        "policies/<xcover_id:quote_id>/cancellations/<int:pk>/confirm/",
        cancellation.confirm,
        name="confirm_cancellation",
    ),
    path("withdraw/<str:token>/", withdrawal.withdraw, name="withdraw"),
    path("withdraw/<str:token>/<int:pk>/", withdrawal.withdrawal, name="withdrawal"),
    path("withdraw/<str:token>/<int:pk>/confirm/", withdrawal.confirm, name="confirm_withdrawal"),
    path("policies/<xcover_id:quote_id>/details/", modification.change, name="change"),
    path("policies/<xcover_id:quote_id>/value/", modification.change_value, name="change_value"),
    path(
        "policies/<xcover_id:quote_id>/changes/<int:pk>/",
        modification.modification,
        name="modification",
    ),
    path(
        "policies/<xcover_id:quote_id>/changes/<int:pk>/confirm/",
        modification.confirm,
        name="confirm_modification",
    ),
    path(
        "policies/<xcover_id:quote_id>/changes/<int:pk>/abandon/",
        modification.abandon,
        name="abandon_modification",
    ),
    path("policies/<xcover_id:quote_id>/renewals/<int:pk>/", renewal.renewal, name="renewal"),
    path(
        "policies/<xcover_id:quote_id>/renewals/<int:pk>/price/",
        renewal.price,
        name="renewal_price",
    ),
    path(
        "policies/<xcover_id:quote_id>/renewals/<int:pk>/decline/",
        renewal.decline,
        name="decline_renewal",
    ),
]
