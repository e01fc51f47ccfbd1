"""Links to the consumer site. A link with a token grants access to anyone who has it."""

from __future__ import annotations

from django_xcover.sandbox import ids
from django_xcover.sandbox.packages import Package, Quote


def wording(site: str, package: Package) -> str:
    """Return the URL of the policy wording."""
    return f"{site}/{package.language[:2]}/pds/{package.id}"


def quote_wording(site: str, package: Package, quote: Quote) -> str:
    """Return the URL of one quote's policy wording."""
    slug = f"{quote.policy_type}_v{quote.policy_type_version}"
    return f"{wording(site, package)}?policy_type={slug}"


def certificate(site: str, package: Package) -> dict[str, str]:
    """Return the `coi` object: the certificate as a page and as a PDF."""
    base = f"{site}/{package.language[:2]}/coi/{package.id}"
    token = f"security_token={package.security_token}"
    return {"url": f"{base}?{token}", "pdf": f"{base}.pdf?{token}"}


def account(site: str, package: Package) -> str:
    """Return the URL of the customer's account."""
    email = (package.policyholder or {}).get("email", "")
    query = f"id={ids.account_id(email)}&signup_token={package.signup_token}"
    return f"{site}/{package.language[:2]}/account?{query}"
