"""Settings: read once from the environment into one frozen value; a wrong one is refused by name, with the remedy.

What only Microsoft Graph needs may be missing until Graph is used: ``Settings.required`` then names it.
Every secret can also be given as ``NAME_FILE``, the path of a file that holds it.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from integration.errors import SettingRefused

T = TypeVar("T")
DEFAULT_GRAPH = "https://graph.microsoft.com/v1.0"
SHORTEST_SECRET = 16
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Setting:
    """One line of the settings table: the README shows the same."""

    name: str
    meaning: str
    default: str = ""
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("DATA_DIR", "folder for the embedded database, the queue and generated secrets", "var"),
    Setting("DATABASE_URL", "SQLAlchemy URL; PostgreSQL in production", "SQLite in DATA_DIR", secret=True),
    Setting("REDIS_URL", "Redis or Valkey that rings the workers", "an embedded server", secret=True),
    Setting("GRAPH_BASE_URL", "Microsoft Graph, or the simulator on loopback", DEFAULT_GRAPH),
    Setting("GRAPH_TIMEOUT_SECONDS", "how long one request to Graph may take", "30"),
    Setting("TENANT_ID", "directory (tenant) id of your Microsoft 365"),
    Setting("CLIENT_ID", "application (client) id of the app registration"),
    Setting("CLIENT_CERTIFICATE_PATH", "PEM file with certificate and private key of the app registration"),
    Setting("CLIENT_SECRET", "client secret, where there is no certificate", secret=True),
    Setting("ORGANIZER_MAILBOXES", "comma-separated licensed accounts that own the series"),
    Setting("SENDER_MAILBOXES", "comma-separated mailboxes that mails leave from", "ORGANIZER_MAILBOXES"),
    Setting("MAIL_ALLOWLIST", "when set, only these addresses or @domains are invited or written to"),
    Setting("MAILS_PER_MINUTE", "courtesy pace of each sender mailbox", "30"),
    Setting("WEBHOOKS", "on, or off where Graph cannot reach PUBLIC_URL (polling then)", "on"),
    Setting("SWEEP_MINUTES", "minutes between sweeps of the calendars; 10 at most with WEBHOOKS=off", "60"),
    Setting("PUBLIC_URL", "address under which browsers and Graph reach us", "http://127.0.0.1:8360"),
    Setting("SECRET_KEY", "signs sessions and links", "made and kept in DATA_DIR/secret_key", secret=True),
    Setting("OIDC_ISSUER", "OpenID Connect issuer for sign-in", "the one of TENANT_ID"),
    Setting("CLOCK_FILE", "file with the instant of a movable clock; only with a simulator on loopback"),
    Setting("HOST", "address that `pods web` listens on", "127.0.0.1"),
    Setting("PORT", "port that `pods web` listens on", "8360"),
    Setting("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO"),
    Setting("LOG_FORMAT", "text or json", "text"),
    Setting("CLAIM_LEASE_SECONDS", "after how long the work of a dead worker is taken over", "30"),
)


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. ``None`` and empty tuples mean: not given."""

    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)  # None: the embedded server
    graph_base_url: str
    graph_timeout_seconds: float
    tenant_id: str | None
    client_id: str | None
    client_certificate_path: str | None
    client_secret: str | None = field(repr=False)
    organizer_mailboxes: tuple[str, ...]
    sender_mailboxes: tuple[str, ...]
    mail_allowlist: frozenset[str]
    mails_per_minute: int
    webhooks: bool
    sweep_minutes: int
    public_url: str
    secret_key: str = field(repr=False)
    oidc_issuer: str | None
    clock_file: Path | None
    host: str
    port: int
    log_level: str
    log_json: bool
    claim_lease_seconds: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read all settings; raises SettingRefused for the first that cannot be used.

        Makes DATA_DIR, and the secret key in it when none is given.
        """
        read = _Environment(environ)
        data_dir = read.parsed("DATA_DIR", _folder)
        graph = read.parsed("GRAPH_BASE_URL", _graph_url)
        organizers = read.parsed("ORGANIZER_MAILBOXES", _mailboxes)
        settings = cls(
            data_dir=data_dir,
            database_url=_database_url(read.text("DATABASE_URL"), data_dir),
            redis_url=read.parsed("REDIS_URL", _redis_url),
            graph_base_url=graph,
            graph_timeout_seconds=read.parsed("GRAPH_TIMEOUT_SECONDS", _number(1, 600)),
            tenant_id=read.text("TENANT_ID") or None,
            client_id=read.text("CLIENT_ID") or None,
            client_certificate_path=read.parsed("CLIENT_CERTIFICATE_PATH", _readable_file),
            client_secret=read.text("CLIENT_SECRET") or None,
            organizer_mailboxes=organizers,
            sender_mailboxes=read.parsed("SENDER_MAILBOXES", _mailboxes) or organizers,
            mail_allowlist=read.parsed("MAIL_ALLOWLIST", _allowlist),
            mails_per_minute=read.parsed("MAILS_PER_MINUTE", _number(1, 10_000)),
            webhooks=read.parsed("WEBHOOKS", _choice("on", "off")) == "on",
            sweep_minutes=read.parsed("SWEEP_MINUTES", _number(1, 1_440)),
            public_url=read.parsed("PUBLIC_URL", _web_url),
            secret_key=_secret_key(read.text("SECRET_KEY"), data_dir),
            oidc_issuer=read.parsed("OIDC_ISSUER", _issuer),
            clock_file=_clock_file(read.text("CLOCK_FILE"), graph),
            host=read.text("HOST"),
            port=read.parsed("PORT", _number(1, 65_535)),
            log_level=read.parsed("LOG_LEVEL", _choice(*LOG_LEVELS)),
            log_json=read.parsed("LOG_FORMAT", _choice("text", "json")) == "json",
            claim_lease_seconds=read.parsed("CLAIM_LEASE_SECONDS", _number(1, 3_600)),
        )
        settings._refuse_two_credentials()
        return settings

    @property
    def graph_is_local(self) -> bool:
        """Whether Graph is a simulator on this machine."""
        return is_loopback(self.graph_base_url)

    def required(self, name: str) -> str:
        """The text of a setting that Graph needs, e.g. ``required("TENANT_ID")``; raises SettingRefused."""
        value = getattr(self, name.lower())
        if value:
            return value if isinstance(value, str) else ",".join(value)
        meaning = next(setting.meaning for setting in SETTINGS if setting.name == name)
        raise SettingRefused(name, "is not set.", remedy=f"Set {name}: {meaning}.")

    def may_mail(self, address: str) -> bool:
        """Whether MAIL_ALLOWLIST (when set) names this address or its domain."""
        wanted = address.strip().lower()
        return not self.mail_allowlist or not self.mail_allowlist.isdisjoint({wanted, "@" + wanted.partition("@")[2]})

    def _refuse_two_credentials(self) -> None:
        if self.client_secret and self.client_certificate_path:
            raise SettingRefused(
                "CLIENT_SECRET",
                "is set beside CLIENT_CERTIFICATE_PATH.",
                remedy="Set one of the two; the certificate is the safer one.",
            )


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine itself."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Environment:
    """Looks settings up by name, falls back to NAME_FILE for secrets and to the table's default."""

    # Defaults of the table that are words for the reader, not values.
    WORDS = frozenset({"DATABASE_URL", "REDIS_URL", "SENDER_MAILBOXES", "SECRET_KEY", "OIDC_ISSUER"})

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._table = {setting.name: setting for setting in SETTINGS}

    def text(self, name: str) -> str:
        given = self._environ.get(name, "").strip()
        if self._table[name].secret:
            given = self._from_file(name, given)
        if given or name in self.WORDS:
            return given
        return self._table[name].default

    def parsed(self, name: str, parse: Callable[[str, str], T]) -> T:
        return parse(name, self.text(name))

    def _from_file(self, name: str, given: str) -> str:
        path = self._environ.get(f"{name}_FILE", "").strip()
        if not path:
            return given
        if given:
            raise SettingRefused(f"{name}_FILE", f"is set beside {name}.", remedy="Set one of the two.")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingRefused(
                f"{name}_FILE", f"cannot be read: {error.strerror}.", remedy="Name a file that this account can read."
            ) from error


def _folder(name: str, text: str) -> Path:
    folder = Path(text).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingRefused(
            name,
            f"cannot be made at {folder}: {error.strerror}.",
            remedy="Name a folder that this account can write to.",
        ) from error
    return folder


def _database_url(text: str, data_dir: Path) -> str:
    if not text:
        return f"sqlite:///{data_dir / 'pods.sqlite3'}"
    if text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        return text
    raise SettingRefused(
        "DATABASE_URL",
        f"begins with {text.partition(':')[0]!r}.",
        remedy="Use postgresql://user@host/name, or sqlite:///file for one machine.",
    )


def _redis_url(name: str, text: str) -> str | None:
    if not text or text.startswith(("redis://", "rediss://", "unix://")):
        return text or None
    raise SettingRefused(name, "is not a Redis URL.", remedy="Use redis://host:6379/0, rediss:// or unix:///path.")


def _graph_url(name: str, text: str) -> str:
    url = text.rstrip("/")
    parts = urlsplit(url)
    if parts.path != "/v1.0":
        raise SettingRefused(name, f"is {text!r}.", remedy=f"It ends with /v1.0, such as {DEFAULT_GRAPH}.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise SettingRefused(name, f"is {text!r}.", remedy="Use https; plain http only for a simulator on loopback.")
    return url


def _web_url(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingRefused(name, f"is {text!r}.", remedy="Write a whole address, such as https://pods.example.com.")
    return text.rstrip("/")


def _issuer(name: str, text: str) -> str | None:
    if not text:
        return None
    if not text.startswith("https://") and not is_loopback(text):
        raise SettingRefused(name, f"is {text!r}.", remedy="An issuer is an https address.")
    return text


def _readable_file(name: str, text: str) -> str | None:
    if not text:
        return None
    if not os.access(text, os.R_OK) or not Path(text).is_file():
        raise SettingRefused(name, f"names {text}, which cannot be read.", remedy="Name a PEM file we may read.")
    return text


def _mailboxes(name: str, text: str) -> tuple[str, ...]:
    addresses = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for address in addresses:
        if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
            raise SettingRefused(name, f"has {address!r}.", remedy="List whole addresses, separated by commas.")
    return addresses


def _allowlist(name: str, text: str) -> frozenset[str]:
    entries = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    for entry in sorted(entries):
        if entry.count("@") != 1 or entry.endswith("@"):
            raise SettingRefused(name, f"has {entry!r}.", remedy="List addresses or @domains, separated by commas.")
    return entries


def _number(least: int, most: int) -> Callable[[str, str], int]:
    def parse(name: str, text: str) -> int:
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise SettingRefused(name, f"is {text!r}.", remedy=f"Use a whole number from {least} to {most}.")

    return parse


def _choice(*choices: str) -> Callable[[str, str], str]:
    def parse(name: str, text: str) -> str:
        chosen = next((choice for choice in choices if choice.lower() == text.lower()), None)
        if chosen is None:
            raise SettingRefused(name, f"is {text!r}.", remedy=f"Use {', '.join(choices[:-1])} or {choices[-1]}.")
        return chosen

    return parse


def _clock_file(text: str, graph_base_url: str) -> Path | None:
    if not text:
        return None
    if not is_loopback(graph_base_url):
        raise SettingRefused(
            "CLOCK_FILE",
            f"moves the clock while GRAPH_BASE_URL is {graph_base_url}.",
            remedy="Unset CLOCK_FILE; a movable clock is for a simulator on loopback only.",
        )
    return Path(text)


def _secret_key(text: str, data_dir: Path) -> str:
    if text and len(text) < SHORTEST_SECRET:
        raise SettingRefused(
            "SECRET_KEY", f"has {len(text)} characters.", remedy=f"Use {SHORTEST_SECRET} random ones or more."
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
