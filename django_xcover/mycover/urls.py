"""The addresses of the shopper's area, below `mycover/` of `django_xcover.urls`."""

from __future__ import annotations

from django.urls import path

from django_xcover import converters  # noqa: F401 - registers what `path` takes
from django_xcover.mycover import (
    cancelling,
    changing,
    mailing,
    policies,
    renewing,
    valuing,
    withdrawing,
)

urlpatterns = [
    path("", policies.index, name="my_cover"),
    path("policies/<xcover_id:quote_id>/", policies.policy, name="policy"),
    path("policies/<xcover_id:quote_id>/email/", mailing.send_documents, name="send_documents"),
    path("policies/<xcover_id:quote_id>/cancel/", cancelling.preview, name="cancel"),
    path(
        "policies/<xcover_id:quote_id>/cancellations/<int:pk>/",
        cancelling.cancellation,
        name="cancellation",
    ),
    path(
        "policies/<xcover_id:quote_id>/cancellations/<int:pk>/confirm/",
        cancelling.confirm,
        name="confirm_cancellation",
    ),
    path("withdraw/<str:token>/", withdrawing.withdraw, name="withdraw"),
    path("withdraw/<str:token>/<int:pk>/", withdrawing.withdrawal, name="withdrawal"),
    path("withdraw/<str:token>/<int:pk>/confirm/", withdrawing.confirm, name="confirm_withdrawal"),
    path("policies/<xcover_id:quote_id>/details/", changing.change, name="change"),
    path("policies/<xcover_id:quote_id>/value/", valuing.change_value, name="change_value"),
    path(
        "policies/<xcover_id:quote_id>/changes/<int:pk>/",
        changing.modification,
        name="modification",
    ),
    path(
        "policies/<xcover_id:quote_id>/changes/<int:pk>/confirm/",
        changing.confirm,
        name="confirm_modification",
    ),
    path(
        "policies/<xcover_id:quote_id>/changes/<int:pk>/abandon/",
        changing.abandon,
        name="abandon_modification",
    ),
    path("policies/<xcover_id:quote_id>/renewals/<int:pk>/", renewing.renewal, name="renewal"),
    path(
        "policies/<xcover_id:quote_id>/renewals/<int:pk>/price/",
        renewing.price,
        name="renewal_price",
    ),
    path(
        "policies/<xcover_id:quote_id>/renewals/<int:pk>/decline/",
        renewing.decline,
        name="decline_renewal",
    ),
]
