"""Control of the issuer: app roles, keys, redirect addresses, what goes wrong, and a token as a Teams tab gets it."""

from dataclasses import fields
from typing import cast

from flask import Blueprint, Response, abort, jsonify, request

from ..tenant.directory import Person
from .control import Unusable
from .odata import current_tenant
from .openid import signed_for, state
from .openid_state import Wrong
from .signatures import SIGNATURES

blueprint = Blueprint("openid_control", __name__)

TEAMS = "5e3ce6c0-2b1f-4285-8d4b-75ee78787346"
"""The client id of Teams on the web, which asks for the token in the name of whoever uses it."""


@blueprint.get("/control/sign-in")
def show() -> Response:
    people = current_tenant().directory.people
    held = {one.mail: list(state().roles_of(one, people)) for one in people}
    return jsonify(
        {
            "roles": {mail: roles for mail, roles in held.items() if roles},
            "keys": [key.kid for key in state().keys.published()],
            "redirect_uris": list(state().redirect_uris),
            "signed_out": state().signed_out,
        }
    )


@blueprint.patch("/control/sign-in")
def change() -> Response:
    """`redirect_uris`: the addresses registered; none: every one on loopback."""
    state().redirect_uris = tuple(cast("list[str]", _sent().get("redirect_uris", [])))
    return show()


@blueprint.put("/control/people/<mail>/roles")
def assign(mail: str) -> Response:
    """`roles`: the app roles, any words; they are in tokens issued from now on."""
    person, roles = _person(mail), _sent().get("roles")
    if not isinstance(roles, list):
        raise Unusable('roles is a list, such as ["Coordinator"]')
    state().assign(person, tuple(str(role) for role in roles))
    return show()


@blueprint.post("/control/sign-in/faults")
def order() -> Response:
    """`claims` (null removes one), `signature` (RS256, none, HS256, unknown, forged), or `error` with
    `error_description` instead of a code; for so many `times`."""
    sent = _sent()
    known = {field.name for field in fields(Wrong)}
    if not set(sent) <= known or sent.get("signature", "RS256") not in SIGNATURES:
        raise Unusable(f"a fault of the sign-in has {', '.join(sorted(known))}; signatures: {', '.join(SIGNATURES)}")
    state().order(Wrong(**sent))  # type: ignore[arg-type]
    return jsonify({"ordered": 1})


@blueprint.delete("/control/sign-in/faults")
def forget() -> Response:
    state().forget_orders()
    return jsonify({"ordered": 0})


@blueprint.post("/control/keys/rotate")
def rotate() -> Response:
    """A new key signs from now on; the old ones stay published for a day, or go at once with `drop_old`."""
    sent = request.get_json(silent=True) or {}
    state().keys.rotate(drop_old=bool(sent.get("drop_old")))
    return jsonify({"keys": [key.kid for key in state().keys.published()]})


@blueprint.post("/control/teams-token")
def teams_token() -> Response:
    """What a tab gets from Teams for `mail`: an access token for the application, of version 2.0.

    `audience` is what APPLICATION_ID_URI says (without: the client id); `claims` replaces single ones.
    """
    sent = _sent()
    audience = str(sent.get("audience") or current_tenant().app.id)
    told: dict[str, object] = {"aud": audience, "azp": TEAMS, "azpacr": "0", "scp": "access_as_user"}
    claims = cast("dict[str, object]", sent.get("claims") or {})
    return jsonify({"token": signed_for(_person(str(sent.get("mail", ""))), told | claims)})


def _person(mail: str) -> Person:
    person = current_tenant().directory.find(mail)
    if person is None:
        abort(404)
    return person


def _sent() -> dict[str, object]:
    sent = request.get_json()
    if not isinstance(sent, dict):
        raise Unusable("a JSON object is expected")
    return sent
