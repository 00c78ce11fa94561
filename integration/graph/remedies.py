"""What a person can do about an error of Graph or of the sign-in service, in words."""

from __future__ import annotations

from integration.graph.operations import Operation

ACCESS_POLICY = (
    "Ask a Teams administrator to run: New-CsApplicationAccessPolicy -Identity Learning-Pods -AppIds <client id>; "
    "Grant-CsApplicationAccessPolicy -PolicyName Learning-Pods -Identity <organizer's object id>. "
    "It takes up to 30 minutes to work."
)
EXCHANGE_SCOPE = (
    "Ask an Exchange administrator whether this mailbox is inside the scope of the app's role assignment "
    "(RBAC for Applications): Test-ServicePrincipalAuthorization -Identity <app> -Resource <mailbox>."
)
NO_MAILBOX = (
    "The account has no mailbox in Exchange Online: give it a licence with Exchange Online, or use another mailbox."
)
TOKEN_REFUSED = "Check TENANT_ID, CLIENT_ID and the credential, and that GRAPH_BASE_URL belongs to that cloud."
OUR_REQUEST = "Repeating it will not help: compare the request with Graph's page of this operation."
TRY_LATER = "Nothing to do: it is tried again."
SUBSCRIPTION_QUOTA = "Delete subscriptions that are not needed any more: Graph limits them per mailbox and per app."

BY_CODE = {
    "MailboxNotEnabledForRESTAPI": NO_MAILBOX,
    "MailboxNotSupportedForRESTAPI": NO_MAILBOX,
    "InvalidAuthenticationToken": TOKEN_REFUSED,
    "ErrorInvalidUser": "Check the address: no such account is known in this tenant.",
    "ErrorItemNotFound": "It was deleted or moved; ids are case-sensitive.",
    "ErrorOccurrenceCrossingBoundary": "Move the occurrence by less: it may not pass or meet its neighbours' days.",
    "ErrorDuplicateTransactionId": "Look the event up by its tag and change it instead of creating it.",
    "TimeZoneNotSupportedException": "Choose a time zone that this mailbox supports.",
    "InvalidInternetMessageHeader": "Headers of our own must begin with x-.",
    "InvalidInternetMessageHeaderCollection": "Five headers of our own are the most.",
    "ErrorInvalidRecipients": "Check the recipients' addresses.",
}

SIGN_IN = {
    "AADSTS700016": "Entra does not know the application in this tenant: check CLIENT_ID and TENANT_ID.",
    "AADSTS7000222": "The client secret has expired: make a new one, or use a certificate, and set CLIENT_SECRET.",
    "AADSTS7000215": "The client secret is wrong: CLIENT_SECRET takes the secret's value, not its id.",
    "AADSTS700027": "The certificate is not registered with the application: upload its public part to Entra.",
    "AADSTS65001": "Nobody has consented to the permissions: an administrator grants them in Entra.",
    "AADSTS53003": "A Conditional Access policy blocks the application: exclude its service principal.",
    "AADSTS90002": "There is no such tenant: check TENANT_ID.",
    "AADSTS900023": "TENANT_ID is not a tenant's id or domain.",
    "AADSTS500011": "The tenant does not know this Graph host: check GRAPH_BASE_URL and the cloud.",
}


def remedy_for(status: int, code: str, message: str, operation: Operation) -> str:
    """One or two sentences: what a person can do, or that nothing need be done."""
    if code in BY_CODE:
        return BY_CODE[code]
    if "application access policy" in message.lower():
        return ACCESS_POLICY
    if status == 403:
        return _forbidden(code, operation)
    if status == 401:
        return TOKEN_REFUSED
    if status in (404, 410):
        return "Check that it still exists."
    if status == 412:
        return "It was changed meanwhile: read it again."
    if status == 413:
        return "Make it smaller: a request may have 4 MB."
    if status == 429 or status >= 500:
        return TRY_LATER
    return OUR_REQUEST


def remedy_for_sign_in(text: str) -> str:
    """The remedy for a refusal of the sign-in service, by the AADSTS number in its words."""
    numbered = [remedy for number, remedy in SIGN_IN.items() if f"{number}:" in text or text.endswith(number)]
    return numbered[0] if numbered else TOKEN_REFUSED


def _forbidden(code: str, operation: Operation) -> str:
    consent = _consent(operation)
    if code == "Authorization_RequestDenied":
        return consent
    if operation.path.startswith("/subscriptions"):
        return SUBSCRIPTION_QUOTA
    if "/onlineMeetings" in operation.path:
        return f"{consent} Then: {ACCESS_POLICY}"
    if code == "ErrorAccessDenied":
        return f"{EXCHANGE_SCOPE} The permission it needs is {operation.permission}."
    return consent


def _consent(operation: Operation) -> str:
    if operation.permission is None:
        return "Grant the application the permission to read what is asked for, in Entra."
    return f"Grant the application permission {operation.permission} with admin consent in Entra."
