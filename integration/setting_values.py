"""The values of settings: each function takes what was written and returns what it means, or refuses it by name.

They raise SettingRefused, which names the setting and says what would be right.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from integration.errors import SettingRefused
from integration.language import Lazy, lazy

DEFAULT_GRAPH = "https://graph.microsoft.com/v1.0"
SHORTEST_SECRET = 16
DRIFT_DEFAULTS = {  # what is done by itself about each kind of difference with Outlook; nothing that mails anybody is
    "session-moved": "adopt",
    "session-deleted": "adopt",
    "session-missing": "adopt",
    "session-extra": "ask",
    "session-edited": "adopt",
    "series-moved": "ask",
    "series-deleted": "ask",
    "series-edited": "adopt",
    "zone-differs": "ask",
    "link-missing": "put-back",
    "link-changed": "adopt",
    "attendee-missing": "ask",
    "attendee-extra": "adopt",
}
DRIFT_CHOICES = ("adopt", "ask", "put-back")


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine itself."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def folder(name: str, text: str) -> Path:
    """A folder, made when it is not there."""
    folder = Path(text).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingRefused(
            name,
            lazy("%(name)s cannot be made at %(folder)s: %(why)s.", folder=str(folder), why=str(error.strerror)),
            remedy=lazy("Name a folder that this account can write to."),
        ) from error
    return folder


def database_url(text: str, data_dir: Path) -> str:
    """A SQLAlchemy URL; SQLite in the data folder when none is given."""
    if not text:
        return f"sqlite:///{data_dir / 'pods.sqlite3'}"
    if text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        return text
    raise SettingRefused(
        "DATABASE_URL",
        lazy("%(name)s begins with %(text)s.", text=repr(text.partition(":")[0])),
        remedy=lazy("Use postgresql://user@host/name, or sqlite:///file for one machine."),
    )


def redis_url(name: str, text: str) -> str | None:
    """A Redis URL; None when none is given."""
    if not text or text.startswith(("redis://", "rediss://", "unix://")):
        return text or None
    raise SettingRefused(
        name, lazy("%(name)s is not a Redis URL."), remedy=lazy("Use redis://host:6379/0, rediss:// or unix:///path.")
    )


def graph_url(name: str, text: str) -> str:
    """The address of Graph, ending with /v1.0: https, or plain http on loopback."""
    url = text.rstrip("/")
    parts = urlsplit(url)
    if parts.path != "/v1.0":
        raise SettingRefused(
            name, _as_it_is(text), remedy=lazy("It ends with /v1.0, such as %(url)s.", url=DEFAULT_GRAPH)
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise SettingRefused(
            name, _as_it_is(text), remedy=lazy("Use https; plain http only for a simulator on loopback.")
        )
    return url


def web_url(name: str, text: str) -> str:
    """A whole address, without a slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingRefused(
            name, _as_it_is(text), remedy=lazy("Write a whole address, such as https://pods.example.com.")
        )
    return text.rstrip("/")


def issuer(name: str, text: str) -> str | None:
    """An OpenID Connect issuer; None when none is given."""
    if not text:
        return None
    if not text.startswith("https://") and not is_loopback(text):
        raise SettingRefused(name, _as_it_is(text), remedy=lazy("An issuer is an https address."))
    return text


def application_id_uri(name: str, text: str) -> str | None:
    """An application ID URI; None when none is given."""
    if not text or text.startswith(("api://", "https://")):
        return text or None
    raise SettingRefused(
        name, _as_it_is(text), remedy=lazy("Copy it from Entra, Expose an API; it begins with api:// or https://.")
    )


def readable_file(name: str, text: str) -> str | None:
    """The path of a file that can be read; None when none is given."""
    if not text:
        return None
    if not os.access(text, os.R_OK) or not Path(text).is_file():
        raise SettingRefused(
            name,
            lazy("%(name)s names %(file)s, which cannot be read.", file=text),
            remedy=lazy("Name a PEM file we may read."),
        )
    return text


def mailboxes(name: str, text: str) -> tuple[str, ...]:
    """Addresses in lower case."""
    addresses = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for address in addresses:
        if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
            raise SettingRefused(
                name,
                lazy("%(name)s has %(text)s.", text=repr(address)),
                remedy=lazy("List whole addresses, separated by commas."),
            )
    return addresses


def one_mailbox(name: str, text: str) -> str | None:
    addresses = mailboxes(name, text)
    if len(addresses) > 1:
        raise SettingRefused(
            name, lazy("%(name)s has %(n)s addresses.", n=len(addresses)), remedy=lazy("Name one address.")
        )
    return addresses[0] if addresses else None


def allowlist(name: str, text: str) -> frozenset[str]:
    """Addresses and @domains in lower case."""
    entries = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    for entry in sorted(entries):
        if entry.count("@") != 1 or entry.endswith("@"):
            raise SettingRefused(
                name,
                lazy("%(name)s has %(text)s.", text=repr(entry)),
                remedy=lazy("List addresses or @domains, separated by commas."),
            )
    return entries


def number(least: int, most: int) -> Callable[[str, str], int]:
    """A reader of whole numbers from ``least`` to ``most``."""

    def parse(name: str, text: str) -> int:
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise SettingRefused(
            name,
            _as_it_is(text),
            remedy=lazy("Use a whole number from %(least)s to %(most)s.", least=least, most=most),
        )

    return parse


def drift_policy(name: str, text: str) -> Mapping[str, str]:
    """What is to be done by itself about each kind of difference: the defaults, and what was written over them."""
    given: dict[str, str] = {}
    for part in (each.strip() for each in text.split(",") if each.strip()):
        kind, _equals, chosen = (each.strip().lower() for each in part.partition("="))
        if kind not in DRIFT_DEFAULTS:
            kinds = ", ".join(DRIFT_DEFAULTS)
            raise SettingRefused(
                name,
                lazy("%(name)s names %(kind)s, which is no kind of difference.", kind=repr(kind)),
                remedy=lazy("Use one of: %(words)s.", words=kinds),
            )
        if chosen not in DRIFT_CHOICES:
            remedy = lazy("Write %(kind)s=adopt, %(kind)s=ask or %(kind)s=put-back.", kind=kind)
            raise SettingRefused(
                name, lazy("%(name)s wants %(text)s for %(kind)s.", text=repr(chosen), kind=kind), remedy=remedy
            )
        if kind in given:
            raise SettingRefused(
                name, lazy("%(name)s names %(kind)s twice.", kind=kind), remedy=lazy("Name each kind once.")
            )
        given[kind] = chosen
    return MappingProxyType(DRIFT_DEFAULTS | given)


def choice(*choices: str) -> Callable[[str, str], str]:
    """A reader of one of these words, in any case."""

    def parse(name: str, text: str) -> str:
        chosen = next((choice for choice in choices if choice.lower() == text.lower()), None)
        if chosen is None:
            raise SettingRefused(
                name,
                _as_it_is(text),
                remedy=lazy("Use %(some)s or %(last)s.", some=", ".join(choices[:-1]), last=choices[-1]),
            )
        return chosen

    return parse


def clock_file(text: str, graph_base_url: str) -> Path | None:
    """The file of a movable clock, which only a simulator may have; None when none is given."""
    if not text:
        return None
    if not is_loopback(graph_base_url):
        raise SettingRefused(
            "CLOCK_FILE",
            lazy("%(name)s moves the clock while GRAPH_BASE_URL is %(url)s.", url=graph_base_url),
            remedy=lazy("Unset CLOCK_FILE; a movable clock is for a simulator on loopback only."),
        )
    return Path(text)


def secret_key(text: str, data_dir: Path) -> str:
    """The secret that was given, or the one that is kept in the data folder and made once."""
    if text and len(text) < SHORTEST_SECRET:
        raise SettingRefused(
            "SECRET_KEY",
            lazy("%(name)s has %(n)s characters.", n=len(text)),
            remedy=lazy("Use %(least)s random ones or more.", least=SHORTEST_SECRET),
        )
    return text or _kept_secret(data_dir / "secret_key")


def _kept_secret(file: Path) -> str:
    if not file.exists():
        _make_secret(file)
    return file.read_text(encoding="ascii").strip()


def _make_secret(file: Path) -> None:
    """Write a new secret beside the file and link it into place: of several processes at first start, one wins."""
    descriptor, draft = tempfile.mkstemp(dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_urlsafe(48))
        os.link(draft, file)
    except FileExistsError:
        return  # another process was first: its secret is ours
    finally:
        os.unlink(draft)


def _as_it_is(text: str) -> Lazy:
    return lazy("%(name)s is %(text)s.", text=repr(text))
