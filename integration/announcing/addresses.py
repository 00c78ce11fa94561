"""Which addresses may be told: ours is a machine inside, so nobody may lead it to what only the inside can reach.

HTTPS only; addresses of private networks only where PRIVATE_RECEIVERS is on; this machine itself only there, or where
PUBLIC_URL is this machine too (somebody is trying things out). The name is looked up once and that address is
connected to, so that a name that changes between the check and the call leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from integration.errors import InputRefused, PodsError
from integration.language import lazy

LONGEST = 2_000


class ReceiverOutOfReach(PodsError):
    """The name of a receiver cannot be looked up at the moment."""

    passes_by_itself = True


@dataclass(frozen=True)
class Reach:
    """Which addresses that are not public may be told."""

    private: bool = False
    loopback: bool = False


@dataclass(frozen=True)
class Target:
    """Where to connect, and as what: ``url`` has the numeric address, ``host`` and ``authority`` the name."""

    url: str
    host: str
    authority: str


def check_url(url: str, reach: Reach) -> str:
    """The URL when its form may be told; raises InputRefused. Names are looked up only when something is sent."""
    try:
        parts = urlsplit(url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise InputRefused(
            lazy("The address of the receiver is none."), remedy=lazy("Give an https:// address.")
        ) from error
    if not host or len(url) > LONGEST or parts.username or parts.password or parts.fragment:
        raise InputRefused(
            lazy("The address of the receiver cannot be used."),
            remedy=lazy("Give an https:// address without a password."),
        )
    literal = _literal(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise InputRefused(lazy("The receiver's address is not https."), remedy=lazy("Give an https:// address."))
    if literal is not None:
        refuse_inside(literal, reach)
    elif host == "localhost":
        refuse_inside(ipaddress.ip_address("127.0.0.1"), reach)
    return url.strip()


def resolve(url: str, reach: Reach) -> Target:
    """Look the name up; raises InputRefused where it leads inside, ReceiverOutOfReach where nowhere."""
    parts = urlsplit(check_url(url, reach))
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ReceiverOutOfReach(
            lazy("%(host)s cannot be looked up.", host=host), remedy=lazy("Is the address still right?")
        ) from error
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    for address in addresses:
        refuse_inside(address, reach)
    address = addresses[0]
    numeric = f"[{address}]" if address.version == 6 else str(address)
    path = parts._replace(scheme=parts.scheme, netloc=f"{numeric}:{port}").geturl()
    return Target(url=path, host=host, authority=parts.netloc)


def refuse_inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address, reach: Reach) -> None:
    """Raises InputRefused for an address that only the inside can reach, as far as that is not allowed."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    if address.is_loopback:
        allowed = reach.loopback or reach.private
    elif address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        allowed = False  # where clouds keep the keys of a machine, among others
    else:
        allowed = address.is_global or reach.private
    if not allowed:
        raise InputRefused(
            lazy("The receiver's address %(address)s is not public.", address=address),
            remedy=lazy("Give a public address, or let administrators of this server set PRIVATE_RECEIVERS=on."),
        )


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)
