"""The API's answers to requests with an `Idempotency-Key`, kept for a day."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from django_xcover.models.base import WriterManager

LIFETIME = timedelta(hours=24)


class KeptAnswer(models.Model):
    """One request of a visitor. `status` is None until it is answered.

    `key` is a hash of the visitor and the key, and `fingerprint` one of the request. `body` is the
    answer, and may contain personal data. The ids are those of the package that it is about, or "".
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    status = models.PositiveSmallIntegerField(null=True, editable=False)
    body = models.TextField(blank=True, default="", editable=False)
    headers = models.JSONField(default=dict, editable=False)
    account = models.CharField(max_length=50, blank=True, default="", editable=False)
    package_id = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        indexes = (models.Index(fields=("account", "package_id"), name="xcover_kept_answer_of"),)

    def __str__(self) -> str:
        return self.key
