"""What a person can do about an error of Graph or of the sign-in service, in words."""

from __future__ import annotations

from integration.graph.operations import Operation
from integration.language import Wording, joined, lazy

ACCESS_POLICY = lazy(
    "Ask a Teams administrator to run: New-CsApplicationAccessPolicy -Identity Learning-Pods -AppIds <client id>; "
    "Grant-CsApplicationAccessPolicy -PolicyName Learning-Pods -Identity <organizer's object id>. "
    "It takes up to 30 minutes to work."
)
EXCHANGE_SCOPE = lazy(
    "Ask an Exchange administrator whether this mailbox is inside the scope of the app's role assignment "
    "(RBAC for Applications): Test-ServicePrincipalAuthorization -Identity <app> -Resource <mailbox>."
)
NO_MAILBOX = lazy(
    "The account has no mailbox in Exchange Online: give it a licence with Exchange Online, or use another mailbox."
)
TOKEN_REFUSED = lazy("Check TENANT_ID, CLIENT_ID and the credential, and that GRAPH_BASE_URL belongs to that cloud.")
OUR_REQUEST = lazy("Repeating it will not help: compare the request with Graph's page of this operation.")
TRY_LATER = lazy("Nothing to do: it is tried again.")
SUBSCRIPTION_QUOTA = lazy(
    "A limit of Graph is reached: 1,000 subscriptions per mailbox over all apps, 100 per organization for call "
    "records, 10,000 for Teams. End those that are not needed any more, of this app or of others."
)
SUBSCRIPTION_CONSENT = lazy(
    "A subscription needs the permission to read what it watches: Calendars.Read for a calendar (in the scope of the "
    "app's role assignment), CallRecords.Read.All for call records, OnlineMeetings.Read.All for call events."
)
SUBSCRIPTION_ELSEWHERE = lazy(
    "Another installation with the same app registration watches this already, under another address: end that one, "
    "or give each installation an app registration of its own."
)
UNREACHABLE = lazy(
    "Graph has to reach PUBLIC_URL/webhooks/graph from the internet, by https with a public certificate, within ten "
    "seconds. Where that cannot be, set WEBHOOKS=off: polling gives everything but speed."
)

BY_CODE = {
    "MailboxNotEnabledForRESTAPI": NO_MAILBOX,
    "MailboxNotSupportedForRESTAPI": NO_MAILBOX,
    "InvalidAuthenticationToken": TOKEN_REFUSED,
    "ErrorInvalidUser": lazy("Check the address: no such account is known in this tenant."),
    "ErrorItemNotFound": lazy("It was deleted or moved; ids are case-sensitive."),
    "ErrorOccurrenceCrossingBoundary": lazy(
        "Move the occurrence by less: it may not pass or meet its neighbours' days."
    ),
    "ErrorDuplicateTransactionId": lazy("Look the event up by its tag and change it instead of creating it."),
    "TimeZoneNotSupportedException": lazy("Choose a time zone that this mailbox supports."),
    "InvalidInternetMessageHeader": lazy("Headers of our own must begin with x-."),
    "InvalidInternetMessageHeaderCollection": lazy("Five headers of our own are the most."),
    "ErrorInvalidRecipients": lazy("Check the recipients' addresses."),
}

SIGN_IN = {
    "AADSTS700016": lazy("Entra does not know the application in this tenant: check CLIENT_ID and TENANT_ID."),
    "AADSTS7000222": lazy(
        "The client secret has expired: make a new one, or use a certificate, and set CLIENT_SECRET."
    ),
    "AADSTS7000215": lazy("The client secret is wrong: CLIENT_SECRET takes the secret's value, not its id."),
    "AADSTS700027": lazy("The certificate is not registered with the application: upload its public part to Entra."),
    "AADSTS65001": lazy("Nobody has consented to the permissions: an administrator grants them in Entra."),
    "AADSTS53003": lazy("A Conditional Access policy blocks the application: exclude its service principal."),
    "AADSTS90002": lazy("There is no such tenant: check TENANT_ID."),
    "AADSTS900023": lazy("TENANT_ID is not a tenant's id or domain."),
    "AADSTS500011": lazy("The tenant does not know this Graph host: check GRAPH_BASE_URL and the cloud."),
}


def remedy_for(status: int, code: str, message: str, operation: Operation) -> Wording:
    """One or two sentences: what a person can do, or that nothing need be done."""
    if code in BY_CODE:
        return BY_CODE[code]
    if "application access policy" in message.lower():
        return ACCESS_POLICY
    if operation.path.startswith("/subscriptions"):
        found = _subscription(status, message)
        if found:
            return found
    if status == 403:
        return _forbidden(code, operation)
    if status == 401:
        return TOKEN_REFUSED
    if status in (404, 410):
        return lazy("Check that it still exists.")
    if status == 412:
        return lazy("It was changed meanwhile: read it again.")
    if status == 413:
        return lazy("Make it smaller: a request may have 4 MB.")
    if status == 429 or status >= 500:
        return TRY_LATER
    return OUR_REQUEST


def remedy_for_sign_in(text: str) -> Wording:
    """The remedy for a refusal of the sign-in service, by the AADSTS number in its words."""
    numbered = [remedy for number, remedy in SIGN_IN.items() if f"{number}:" in text or text.endswith(number)]
    return numbered[0] if numbered else TOKEN_REFUSED


def _forbidden(code: str, operation: Operation) -> Wording:
    consent = _consent(operation)
    if code == "Authorization_RequestDenied":
        return consent
    if "/onlineMeetings" in operation.path:
        return lazy("%(first)s Then: %(then)s", first=consent, then=ACCESS_POLICY)
    if code == "ErrorAccessDenied":
        return joined(
            EXCHANGE_SCOPE, lazy("The permission it needs is %(permission)s.", permission=operation.permission)
        )
    return consent


def _subscription(status: int, message: str) -> Wording | None:
    words = message.lower()
    if status == 403:
        is_limit = any(word in words for word in ("limit", "quota", "maximum", "exceeded", "too many"))
        return SUBSCRIPTION_QUOTA if is_limit else SUBSCRIPTION_CONSENT
    if status == 409:
        return SUBSCRIPTION_ELSEWHERE
    if status == 400 and "validation" in words:
        return UNREACHABLE
    return None


def _consent(operation: Operation) -> Wording:
    if operation.permission is None:
        return lazy("Grant the application the permission to read what is asked for, in Entra.")
    return lazy(
        "Grant the application permission %(permission)s with admin consent in Entra.",
        permission=operation.permission,
    )
