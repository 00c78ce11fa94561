"""Who somebody is, by the claims of a token that was checked, and by what the roster knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.oidc_errors import SignInRefused
from integration.admin.permissions import Role
from integration.language import lazy
from integration.people.models import OtherAddress, Person

APP_ROLES = {role.value: role for role in Role}  # the app roles' values, whatever their case
LONGEST_ADDRESS = 320


@dataclass(frozen=True)
class Identity:
    """Somebody who has proved who they are. ``mail`` is in lower case."""

    object_id: str
    mail: str
    name: str
    roles: frozenset[Role]


def identity_of(claims: Mapping[str, Any]) -> Identity:
    """Raises SignInRefused for guests, and for accounts without an address.

    A guest has the issuer of another tenant in ``idp``, or says so in the optional claim ``acct``.
    """
    mail = next((text for text in map(_address, _addresses(claims)) if text), "")
    if _is_guest(claims):
        raise SignInRefused(
            lazy("Guests cannot sign in to Learning Pods."),
            remedy=lazy("Invitations and questions reach you by mail, and need no sign-in."),
            status=403,
            mail=mail,
        )
    if not mail:
        raise SignInRefused(
            lazy("Your account has no mail address, so we cannot tell which pods are yours."),
            remedy=lazy("Ask the people who look after accounts in your company for one."),
            status=403,
        )
    return Identity(
        object_id=str(claims.get("oid", "")),
        mail=mail,
        name=str(claims.get("name") or mail)[:200],
        roles=roles_in(claims),
    )


def roles_in(claims: Mapping[str, Any]) -> frozenset[Role]:
    """The app roles we know; everybody is an employee besides."""
    told = claims.get("roles")
    names = told if isinstance(told, list) else []
    return frozenset(APP_ROLES[name.lower()] for name in names if isinstance(name, str) and name.lower() in APP_ROLES)


def known_in_roster(session: Session, identity: Identity) -> Identity:
    """The identity with the address of the roster, where the account's object id is known there.

    Addresses change with marriages and are given to others: raises SignInRefused when the address is in the roster
    for another account.
    """
    by_account = session.scalar(select(Person).where(Person.object_id == identity.object_id))
    if identity.object_id and by_account is not None:
        return Identity(identity.object_id, by_account.mail, identity.name, identity.roles)
    by_address = session.scalar(select(Person).where(Person.mail == identity.mail))
    if by_address is not None and by_address.object_id not in (None, "", identity.object_id):
        raise SignInRefused(
            lazy("Your address belongs to another account in our list of people."),
            remedy=lazy("Ask a coordinator to bring the list up to date."),
            status=403,
            mail=identity.mail,
        )
    return _under_an_earlier_address(session, identity) if by_address is None else identity


def _under_an_earlier_address(session: Session, identity: Identity) -> Identity:
    """The account may still be called as the roster called it before the address was corrected."""
    person = session.scalar(select(Person).join(OtherAddress).where(OtherAddress.mail == identity.mail))
    if person is None or person.object_id not in (None, "", identity.object_id):
        return identity
    return Identity(identity.object_id, person.mail, identity.name, identity.roles)


def _addresses(claims: Mapping[str, Any]) -> list[str]:
    return [str(claims.get(name) or "") for name in ("preferred_username", "email")]


def _address(text: str) -> str:
    found = text.strip().lower()
    local, at, domain = found.partition("@")
    is_whole = local and at and "." in domain and "@" not in domain and found.isprintable() and " " not in found
    return found if is_whole and len(found) <= LONGEST_ADDRESS else ""


def _is_guest(claims: Mapping[str, Any]) -> bool:
    elsewhere = claims.get("idp") not in (None, "", claims.get("iss"))
    return elsewhere or claims.get("acct") in (1, "1") or "#ext#" in str(claims.get("preferred_username", "")).lower()
