"""The JSON API, for shops that don't use the package's pages.

Include it with `path("xcover/api/v1/", include("django_xcover.api.urls"))`. `rest_framework`
doesn't have to be in INSTALLED_APPS. The rest of the package doesn't import the API.
"""

from __future__ import annotations
