"""Settings: read once from the environment into one frozen value; a wrong one is refused by name, with the remedy.

What only Microsoft Graph needs may be missing until Graph is used: ``Settings.required`` then names it.
Every secret can also be given as ``NAME_FILE``, the path of a file that holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from integration.errors import SettingRefused
from integration.language import Lazy, lazy
from integration.setting_values import (
    DEFAULT_GRAPH,
    allowlist,
    application_id_uri,
    choice,
    clock_file,
    database_url,
    drift_policy,
    folder,
    graph_url,
    is_loopback,
    issuer,
    mailboxes,
    number,
    one_mailbox,
    readable_file,
    redis_url,
    secret_key,
    web_url,
)

T = TypeVar("T")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
PUBLIC_CLOUD = "login.microsoftonline.com"
LOGIN_HOSTS = {  # Graph host -> sign-in host, https://learn.microsoft.com/graph/deployments
    "graph.microsoft.com": PUBLIC_CLOUD,
    "graph.microsoft.us": "login.microsoftonline.us",
    "dod-graph.microsoft.us": "login.microsoftonline.us",
    "microsoftgraph.chinacloudapi.cn": "login.chinacloudapi.cn",
}


@dataclass(frozen=True)
class Setting:
    """One line of the settings table: the README shows the same."""

    name: str
    meaning: Lazy
    default: str = ""
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("DATA_DIR", lazy("folder for the embedded database, the queue and generated secrets"), "var"),
    Setting("DATABASE_URL", lazy("SQLAlchemy URL; PostgreSQL in production"), "SQLite in DATA_DIR", secret=True),
    Setting("REDIS_URL", lazy("Redis or Valkey that rings the workers"), "an embedded server", secret=True),
    Setting("GRAPH_BASE_URL", lazy("Microsoft Graph, or the simulator on loopback"), DEFAULT_GRAPH),
    Setting("GRAPH_TIMEOUT_SECONDS", lazy("how long one request to Graph may take"), "30"),
    Setting("TENANT_ID", lazy("directory (tenant) id of your Microsoft 365")),
    Setting("CLIENT_ID", lazy("application (client) id of the app registration")),
    Setting("CLIENT_CERTIFICATE_PATH", lazy("PEM file with certificate and private key of the app registration")),
    Setting("CLIENT_SECRET", lazy("client secret, where there is no certificate"), secret=True),
    Setting("ORGANIZER_MAILBOXES", lazy("comma-separated licensed accounts that own the series")),
    Setting("SENDER_MAILBOXES", lazy("comma-separated mailboxes that mails leave from"), "ORGANIZER_MAILBOXES"),
    Setting("REPLY_TO", lazy("address that answers to our mails go to"), "the sender of each mail"),
    Setting("MAIL_ALLOWLIST", lazy("when set, only these addresses or @domains are invited or written to")),
    Setting("MAILS_PER_MINUTE", lazy("courtesy pace of each sender mailbox"), "30"),
    Setting("WEBHOOKS", lazy("on, or off where Graph cannot reach PUBLIC_URL (polling then)"), "on"),
    Setting(
        "CALL_RECORDS", lazy("on: be told when any call of the tenant has ended, to read attendance sooner"), "off"
    ),
    Setting("CALL_EVENTS", lazy("on: be told when calls of our meetings end (a beta interface of Graph)"), "off"),
    Setting(
        "SWEEP_MINUTES",
        lazy("minutes between sweeps of calendars and inboxes; calendars: 10 at most with WEBHOOKS=off"),
        "60",
    ),
    Setting(
        "DRIFT_POLICY",
        lazy("what is done by itself where Outlook differs, such as series-moved=adopt,session-deleted=ask"),
        "see the admin guide",
    ),
    Setting(
        "PRIVATE_RECEIVERS", lazy("on: webhooks may be sent to private addresses of your own network too"), "off"
    ),
    Setting("PUBLIC_URL", lazy("address under which browsers and Graph reach us"), "http://127.0.0.1:8360"),
    Setting(
        "TRUSTED_PROXIES", lazy("how many proxies in front of us add the client's address to X-Forwarded-For"), "0"
    ),
    Setting("SECRET_KEY", lazy("signs sessions and links"), "made and kept in DATA_DIR/secret_key", secret=True),
    Setting("OIDC_ISSUER", lazy("OpenID Connect issuer for sign-in"), "the one of TENANT_ID"),
    Setting("APPLICATION_ID_URI", lazy("application ID URI of the app registration; opens the sign-in inside Teams")),
    Setting("CLOCK_FILE", lazy("file with the instant of a movable clock; only with a simulator on loopback")),
    Setting("HOST", lazy("address that `pods web` listens on"), "127.0.0.1"),
    Setting("PORT", lazy("port that `pods web` listens on"), "8360"),
    Setting("LOG_LEVEL", lazy("DEBUG, INFO, WARNING or ERROR"), "INFO"),
    Setting("LOG_FORMAT", lazy("text or json"), "text"),
    Setting("CLAIM_LEASE_SECONDS", lazy("after how long the work of a dead worker is taken over"), "30"),
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
    reply_to: str | None  # None: the sender of each mail
    mail_allowlist: frozenset[str]
    mails_per_minute: int
    webhooks: bool
    call_records: bool
    call_events: bool
    sweep_minutes: int
    drift_policy: Mapping[str, str] = field(hash=False)  # every kind of difference: adopt | ask | put-back
    private_receivers: bool
    public_url: str
    trusted_proxies: int
    secret_key: str = field(repr=False)
    oidc_issuer: str | None
    application_id_uri: str | None  # None: no sign-in inside Teams
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
        data_dir = read.parsed("DATA_DIR", folder)
        graph = read.parsed("GRAPH_BASE_URL", graph_url)
        organizers = read.parsed("ORGANIZER_MAILBOXES", mailboxes)
        settings = cls(
            data_dir=data_dir,
            database_url=database_url(read.text("DATABASE_URL"), data_dir),
            redis_url=read.parsed("REDIS_URL", redis_url),
            graph_base_url=graph,
            graph_timeout_seconds=read.parsed("GRAPH_TIMEOUT_SECONDS", number(1, 600)),
            tenant_id=read.text("TENANT_ID") or None,
            client_id=read.text("CLIENT_ID") or None,
            client_certificate_path=read.parsed("CLIENT_CERTIFICATE_PATH", readable_file),
            client_secret=read.text("CLIENT_SECRET") or None,
            organizer_mailboxes=organizers,
            sender_mailboxes=read.parsed("SENDER_MAILBOXES", mailboxes) or organizers,
            reply_to=read.parsed("REPLY_TO", one_mailbox),
            mail_allowlist=read.parsed("MAIL_ALLOWLIST", allowlist),
            mails_per_minute=read.parsed("MAILS_PER_MINUTE", number(1, 10_000)),
            webhooks=read.parsed("WEBHOOKS", choice("on", "off")) == "on",
            call_records=read.parsed("CALL_RECORDS", choice("on", "off")) == "on",
            call_events=read.parsed("CALL_EVENTS", choice("on", "off")) == "on",
            sweep_minutes=read.parsed("SWEEP_MINUTES", number(1, 1_440)),
            drift_policy=read.parsed("DRIFT_POLICY", drift_policy),
            private_receivers=read.parsed("PRIVATE_RECEIVERS", choice("on", "off")) == "on",
            public_url=read.parsed("PUBLIC_URL", web_url),
            trusted_proxies=read.parsed("TRUSTED_PROXIES", number(0, 10)),
            secret_key=secret_key(read.text("SECRET_KEY"), data_dir),
            oidc_issuer=read.parsed("OIDC_ISSUER", issuer),
            application_id_uri=read.parsed("APPLICATION_ID_URI", application_id_uri),
            clock_file=clock_file(read.text("CLOCK_FILE"), graph),
            host=read.text("HOST"),
            port=read.parsed("PORT", number(1, 65_535)),
            log_level=read.parsed("LOG_LEVEL", choice(*LOG_LEVELS)),
            log_json=read.parsed("LOG_FORMAT", choice("text", "json")) == "json",
            claim_lease_seconds=read.parsed("CLAIM_LEASE_SECONDS", number(1, 3_600)),
        )
        settings._refuse_two_credentials()
        return settings

    def required(self, name: str) -> str:
        """The text of a setting that Graph needs, e.g. ``required("TENANT_ID")``; raises SettingRefused."""
        value = getattr(self, name.lower())
        if value:
            return value if isinstance(value, str) else ",".join(value)
        meaning = next(setting.meaning for setting in SETTINGS if setting.name == name)
        raise SettingRefused(
            name, lazy("%(name)s is not set."), remedy=lazy("Set %(name)s: %(meaning)s.", name=name, meaning=meaning)
        )

    @property
    def authority(self) -> str:
        """Where the cloud of GRAPH_BASE_URL signs in and publishes its keys; on loopback the simulator itself."""
        if is_loopback(self.graph_base_url):
            return self.graph_base_url.removesuffix("/v1.0")
        return f"https://{LOGIN_HOSTS.get(urlsplit(self.graph_base_url).hostname or '', PUBLIC_CLOUD)}"

    @property
    def own_mailboxes(self) -> frozenset[str]:
        """The organizers and senders: the mailboxes that are ours."""
        return frozenset((*self.organizer_mailboxes, *self.sender_mailboxes))

    def may_mail(self, address: str) -> bool:
        """Whether MAIL_ALLOWLIST (when set) names this address or its domain."""
        wanted = address.strip().lower()
        return not self.mail_allowlist or not self.mail_allowlist.isdisjoint({wanted, "@" + wanted.partition("@")[2]})

    def _refuse_two_credentials(self) -> None:
        if self.client_secret and self.client_certificate_path:
            raise SettingRefused(
                "CLIENT_SECRET",
                lazy("%(name)s is set beside %(other)s.", other="CLIENT_CERTIFICATE_PATH"),
                remedy=lazy("Set one of the two; the certificate is the safer one."),
            )


class _Environment:
    """Looks settings up by name, falls back to NAME_FILE for secrets and to the table's default."""

    # Defaults of the table that are words for the reader, not values.
    WORDS = frozenset(
        {"DATABASE_URL", "REDIS_URL", "SENDER_MAILBOXES", "SECRET_KEY", "OIDC_ISSUER", "REPLY_TO", "DRIFT_POLICY"}
    )

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
            raise SettingRefused(
                f"{name}_FILE",
                lazy("%(name)s is set beside %(other)s.", other=name),
                remedy=lazy("Set one of the two."),
            )
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingRefused(
                f"{name}_FILE",
                lazy("%(name)s cannot be read: %(why)s.", why=str(error.strerror)),
                remedy=lazy("Name a file that this account can read."),
            ) from error
