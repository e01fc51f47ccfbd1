"""The door for shops without pages of ours: the same services, as JSON.

Mount it at `path("xcover/api/v1/", include("django_xcover.api.urls"))`; `rest_framework` need not
be in INSTALLED_APPS. Needed nowhere else in the package.
"""

from __future__ import annotations
