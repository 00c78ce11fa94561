"""Signing people in, as Entra does it by OpenID Connect: the page to choose an account, codes, and ID tokens.

Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow and /id-token-claims-reference.
"""

import hashlib
import secrets
import time
import uuid
from typing import cast
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from joserfc import jwt

from ..tenant.directory import Person
from .auth import GRANTS, EntraFault, check_credential, check_tenant
from .odata import current_tenant
from .openid_state import AuthorizationRequest, OpenIdState, Wrong, challenge_of
from .signatures import signed

blueprint = Blueprint("openid", __name__)

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHOWN = 50
"""People on the page; the search finds the others."""
TOKEN_SECONDS = 3900
CARRIED = (
    "client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "response_mode", "prompt", "login_hint",
)  # fmt: skip


class Page(Exception):
    """A refusal that Entra shows itself: the address to return to is not to be trusted."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"AADSTS{code}: {text}")


@blueprint.get("/<tenant_id>/oauth2/v2.0/authorize")
def authorize(tenant_id: str) -> Response:
    """The page to choose an account; with `person` (an address), that person has chosen."""
    check_tenant(current_tenant(), tenant_id)
    asked = _request()
    wrong = state().next_wrong(is_error=True) if "person" in request.args else None
    if wrong is not None:
        return _back(asked, error=str(wrong.error), error_description=wrong.error_description)
    if request.args.get("prompt") == "none":
        text = "AADSTS50058: A silent sign-in request was sent but no user is signed in."
        return _back(asked, error="login_required", error_description=text)
    mail = request.args.get("person")
    if mail is None:
        return _choice()
    person = current_tenant().directory.find(mail)
    if person is None or not person.enabled:
        text = "AADSTS50057: The user account is disabled."
        return _back(asked, error="invalid_grant", error_description=text)
    return _back(asked, code=state().grant(asked, person), session_state=str(uuid.uuid4()))


@blueprint.get("/<tenant_id>/oauth2/v2.0/logout")
def sign_out(tenant_id: str) -> Response:
    """OpenID Connect RP-Initiated Logout 1.0; returns to addresses on loopback only."""
    check_tenant(current_tenant(), tenant_id)
    state().signed_out += 1
    after = request.args.get("post_logout_redirect_uri", "")
    if after and _may_return_to(after):
        return cast(Response, redirect(after))
    return _page("simulator/signed_out.html")


@blueprint.errorhandler(Page)
def show_refusal(refusal: Page) -> Response:
    return _page("simulator/sign_in_refused.html", status=400, refusal=refusal)


@blueprint.errorhandler(EntraFault)
def show_fault(fault: EntraFault) -> Response:
    return _page("simulator/sign_in_refused.html", status=fault.status, refusal=fault)


def redeem_code() -> Response:
    """The authorization-code grant (RFC 6749 section 4.1.3) with PKCE (RFC 7636), for the token endpoint."""
    form, tenant = request.form, current_tenant()
    check_credential(tenant)
    try:
        grant = state().redeem(form.get("code", ""))
    except KeyError:
        text = "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
        raise EntraFault(54005, "invalid_grant", text, status=400) from None
    if grant is None:
        text = "The provided authorization code or refresh token has expired due to inactivity."
        raise EntraFault(70008, "invalid_grant", text, status=400)
    asked = grant.request
    if form.get("redirect_uri") != asked.redirect_uri:
        text = "The reply address does not match the one of the authorization request."
        raise EntraFault(500112, "invalid_client", text)
    if asked.challenge is not None and challenge_of(form.get("code_verifier", "")) != asked.challenge:
        text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
        raise EntraFault(501481, "invalid_grant", text, status=400)
    answer = {
        "token_type": "Bearer",
        "scope": asked.scope,
        "expires_in": TOKEN_SECONDS,
        "ext_expires_in": TOKEN_SECONDS,
        "access_token": _graph_token(grant.person),
        "id_token": id_token(grant.person, nonce=asked.nonce),
    }
    return jsonify(answer)


GRANTS["authorization_code"] = redeem_code


def id_token(person: Person, *, nonce: str | None) -> str:
    """Version 2.0 claims of a member of the tenant; orders to go wrong change them."""
    app_id = current_tenant().app.id
    told: dict[str, object] = {"aud": app_id, "email": person.mail, "rh": secrets.token_urlsafe(12)}
    return signed_for(person, told | ({"nonce": nonce} if nonce is not None else {}))


def signed_for(person: Person, told: dict[str, object]) -> str:
    """A token about a person: what every one of them says, and `told`."""
    now, tenant = int(time.time()), current_tenant()
    wrong = state().next_wrong(is_error=False) or Wrong()
    roles = state().roles_of(person, tenant.directory.people)
    claims: dict[str, object] = {
        "iss": f"{request.host_url}{tenant.id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + TOKEN_SECONDS,
        "name": person.name,
        "oid": person.id,
        "preferred_username": person.mail,
        "sub": hashlib.sha256(f"{tenant.app.id}{person.id}".encode()).hexdigest()[:43],
        "tid": tenant.id,
        "uti": secrets.token_urlsafe(16),
        "ver": "2.0",
        **({"roles": list(roles)} if roles else {}),
        **told,
        **wrong.claims,
    }
    return signed(state().keys, {name: value for name, value in claims.items() if value is not None}, wrong.signature)


def state() -> OpenIdState:
    return cast(OpenIdState, current_app.extensions["openid"])


def _graph_token(person: Person) -> str:
    """Opaque to the application. It has no application role, so that it opens nothing here."""
    now, tenant, key = int(time.time()), current_tenant(), state().keys.current
    claims = {
        "aud": "https://graph.microsoft.com", "iss": f"https://sts.windows.net/{tenant.id}/", "iat": now,
        "exp": now + TOKEN_SECONDS, "appid": tenant.app.id, "oid": person.id, "tid": tenant.id,
        "scp": "email openid profile User.Read", "ver": "1.0",
    }  # fmt: skip
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def _request() -> AuthorizationRequest:
    args, tenant = request.args, current_tenant()
    if args.get("client_id") != tenant.app.id:
        raise Page(700016, f"Application with identifier '{args.get('client_id')}' was not found in the directory.")
    if not _may_return_to(args.get("redirect_uri", "")):
        raise Page(50011, "The redirect URI specified in the request does not match those of the application.")
    if args.get("response_type") != "code":
        raise Page(700054, "response_type 'id_token' is not enabled for the application.")
    if "openid" not in args.get("scope", "").split():
        raise Page(900144, "The request body must contain the following parameter: 'scope' with openid.")
    if args.get("code_challenge") and args.get("code_challenge_method") != "S256":
        raise Page(501491, "Invalid size of Code_Challenge parameter, or a method other than S256.")
    return AuthorizationRequest(
        client_id=args["client_id"],
        redirect_uri=args["redirect_uri"],
        scope=args["scope"],
        state=args.get("state", ""),
        nonce=args.get("nonce"),
        challenge=args.get("code_challenge"),
    )


def _may_return_to(address: str) -> bool:
    registered = state().redirect_uris
    if registered:
        return address in registered
    return (urlsplit(address).hostname or "") in LOOPBACK


def _back(asked: AuthorizationRequest, **values: str) -> Response:
    told = {**values, "state": asked.state}
    joint = "&" if urlsplit(asked.redirect_uri).query else "?"
    return cast(Response, redirect(f"{asked.redirect_uri}{joint}{urlencode(told)}"))


def _choice() -> Response:
    tenant, wanted = current_tenant(), request.args.get("q", "").strip().casefold()
    carried = [(name, request.args[name]) for name in CARRIED if name in request.args]
    people = sorted((one for one in tenant.directory.people if one.kind == "person"), key=lambda one: one.name)
    found = [one for one in people if wanted in f"{one.name} {one.mail}".casefold()]
    shown = [
        (person, state().roles_of(person, tenant.directory.people), urlencode([*carried, ("person", person.mail)]))
        for person in found[:SHOWN]
    ]
    return _page("simulator/sign_in.html", shown=shown, more=len(found) - len(shown), carried=carried, wanted=wanted)


def _page(template: str, *, status: int = 200, **values: object) -> Response:
    text = render_template(template, now=current_tenant().clock.now(), note=None, **values)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return Response(text, status=status, headers=headers)
