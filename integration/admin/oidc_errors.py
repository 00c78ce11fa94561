"""What can go wrong when signing in, in plain words: Entra's codes, and our own checks.

Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import re

from integration.errors import PodsError
from integration.language import Lazy, Wording, lazy

CODE = re.compile(r"AADSTS(\d{4,9})")
CANCELLED = ("access_denied", "consent_required", "login_required", "interaction_required")

_ADMINISTRATOR = lazy("Tell whoever looks after Learning Pods.")
_WORDS: dict[str, tuple[Lazy, Lazy]] = {
    "50105": (
        lazy("Your account has not been given access to Learning Pods."),
        lazy("An administrator assigns it in Entra, under Enterprise applications, Users and groups."),
    ),
    "65001": (
        lazy("Nobody has agreed yet that Learning Pods may know who signs in."),
        lazy("An administrator grants consent in Entra, under App registrations, API permissions."),
    ),
    "50020": (
        lazy("This account belongs to another organization."),
        lazy("Sign in with the account of your work at this company."),
    ),
    "700016": (
        lazy("Microsoft does not know this application in your organization."),
        lazy("An administrator compares CLIENT_ID and TENANT_ID with the app registration."),
    ),
    "7000215": (
        lazy("The application could not prove itself to Microsoft: its secret is wrong."),
        lazy("An administrator puts the value of the client secret, not its id, into CLIENT_SECRET."),
    ),
    "7000222": (
        lazy("The application could not prove itself to Microsoft: its secret has expired."),
        lazy("An administrator makes a new client secret, or uses a certificate."),
    ),
    "700027": (
        lazy("The application could not prove itself to Microsoft: its certificate is not registered."),
        lazy("An administrator uploads the certificate of CLIENT_CERTIFICATE_PATH to the app registration."),
    ),
    "50011": (
        lazy("Microsoft may not send you back to this address."),
        lazy("An administrator adds PUBLIC_URL with /auth/callback to the redirect URIs of the app registration."),
    ),
    "50076": (
        lazy("Your organization asks for a second proof of who you are."),
        lazy("Try again, and answer the question of your authenticator."),
    ),
    "53003": (
        lazy("A rule of your organization does not allow signing in from here."),
        lazy("Use a device or a network that your organization trusts."),
    ),
    "50057": (lazy("Your account is blocked."), lazy("Ask the people who look after accounts in your company.")),
    "54005": (lazy("This sign-in has been used already."), lazy("Sign in again.")),
    "70008": (lazy("This sign-in took too long."), lazy("Sign in again.")),
}
_SAME = {"90094": "65001", "90072": "50020", "50079": "50076", "50074": "50076", "7000216": "7000215"}


class SignInRefused(PodsError):
    """Somebody is not signed in: ``status`` for the page, ``code`` to look up, such as "AADSTS50105".

    ``mail`` is whose proof was good and yet refused; "" when nobody knows who it was. What is no refusal of a person,
    but of a request (too many, not begun here), is not ``noted`` in the audit trail.
    """

    def __init__(
        self,
        message: Wording,
        *,
        remedy: Wording = "",
        status: int = 400,
        code: str = "",
        mail: str = "",
        noted: bool = True,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status, self.code, self.mail, self.noted = status, code, mail, noted


class IssuerUnreachable(SignInRefused):
    """Microsoft's sign-in does not answer, or not as it should."""

    passes_by_itself = True

    def __init__(self) -> None:
        super().__init__(
            lazy("The sign-in of Microsoft cannot be reached at the moment."),
            remedy=lazy("Invitations and mails go on without it. Try again in a minute."),
            status=503,
            noted=False,
        )


def refused_by_issuer(error: str, description: str) -> SignInRefused:
    """What Entra's answer means; of its own words nothing but the code is passed on."""
    found = CODE.search(description or "") or CODE.search(error or "")
    number = found.group(1) if found else ""
    words = _WORDS.get(_SAME.get(number, number))
    code = f"AADSTS{number}" if number else ""
    if words is not None:
        return SignInRefused(words[0], remedy=words[1], status=403, code=code)
    if error in CANCELLED and not number:
        return SignInRefused(lazy("You did not finish signing in."), remedy=lazy("Nothing has happened."))
    return SignInRefused(lazy("Microsoft refused to sign you in."), remedy=_ADMINISTRATOR, code=code)


def refused_token(reason: str) -> SignInRefused:
    """A token that does not hold; the reason is for the log and for administrators."""
    return SignInRefused(
        lazy("The proof of who you are does not hold, so you are not signed in."),
        remedy=lazy("Sign in again. If it happens twice, tell whoever looks after Learning Pods."),
        code=reason,
    )
