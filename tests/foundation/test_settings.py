"""Settings: what is wrong is refused by name, with what would be right."""

import stat
import threading
from pathlib import Path

import pytest

from integration.config import Settings
from integration.errors import SettingRefused

LOCAL = "http://127.0.0.1:8365/v1.0"


def read(folder: Path, **environ: str) -> Settings:
    return Settings.from_environment({"DATA_DIR": str(folder), **environ})


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.graph_base_url == "https://graph.microsoft.com/v1.0"
    assert settings.database_url == f"sqlite:///{tmp_path}/pods.sqlite3"
    assert settings.redis_url is None
    assert settings.webhooks is True
    assert settings.public_url == "http://127.0.0.1:8360"


def test_mailboxes_are_lists_and_senders_default_to_organizers(tmp_path: Path) -> None:
    settings = read(tmp_path, ORGANIZER_MAILBOXES="Pods1@contoso.example, pods2@contoso.example,")
    assert settings.organizer_mailboxes == ("pods1@contoso.example", "pods2@contoso.example")
    assert settings.sender_mailboxes == settings.organizer_mailboxes


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("GRAPH_BASE_URL", "http://graph.microsoft.com/v1.0", "https"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com", "/v1.0"),
        ("GRAPH_BASE_URL", "http://127.0.0.1.evil.example/v1.0", "https"),
        ("DATABASE_URL", "mysql://db/pods", "postgresql://"),
        ("DRIFT_POLICY", "moved=adopt", "session-moved"),
        ("DRIFT_POLICY", "session-moved=undo", "session-moved=put-back"),
        ("DRIFT_POLICY", "session-moved", "session-moved=adopt"),
        ("DRIFT_POLICY", "session-moved=ask,session-moved=adopt", "once"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("WEBHOOKS", "maybe", "on or off"),
        ("PORT", "99999", "from 1 to 65535"),
        ("MAILS_PER_MINUTE", "-1", "from 1"),
        ("ORGANIZER_MAILBOXES", "pods", "whole addresses"),
        ("MAIL_ALLOWLIST", "contoso.example", "@domains"),
        ("PUBLIC_URL", "pods.example.com", "https://"),
        ("SECRET_KEY", "hunter2", "random"),
        ("OIDC_ISSUER", "http://login.example.com", "https"),
        ("CLIENT_CERTIFICATE_PATH", "/nowhere/app.pem", "PEM"),
        ("CLIENT_SECRET_FILE", "/nowhere/secret", "can read"),
        ("LOG_LEVEL", "LOUD", "DEBUG"),
        ("LOG_FORMAT", "xml", "json"),
        ("CLAIM_LEASE_SECONDS", "soon", "whole number"),
        ("CLOCK_FILE", "/tmp/now", "loopback"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, name: str, value: str, remedy: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        read(tmp_path, **{name: value})
    assert refused.value.name == name
    assert remedy in refused.value.remedy


def test_the_policy_of_differences_is_the_default_but_for_what_is_named(tmp_path: Path) -> None:
    default = read(tmp_path).drift_policy
    assert {default["session-moved"], default["series-moved"], default["link-missing"]} == {
        "adopt",
        "ask",
        "put-back",
    }
    chosen = read(tmp_path, DRIFT_POLICY="session-deleted=ask, Series-Moved = put-back,").drift_policy
    assert {kind: each for kind, each in chosen.items() if each != default[kind]} == {
        "session-deleted": "ask",
        "series-moved": "put-back",
    }


def test_two_credentials_are_refused(tmp_path: Path) -> None:
    certificate = tmp_path / "app.pem"
    certificate.write_text("certificate")
    with pytest.raises(SettingRefused, match="CLIENT_SECRET is set beside CLIENT_CERTIFICATE_PATH"):
        read(tmp_path, CLIENT_SECRET="secret", CLIENT_CERTIFICATE_PATH=str(certificate))


def test_a_movable_clock_and_plain_http_are_for_the_simulator(tmp_path: Path) -> None:
    settings = read(tmp_path, GRAPH_BASE_URL=LOCAL, CLOCK_FILE=str(tmp_path / "now"))
    assert settings.graph_base_url == LOCAL
    assert settings.clock_file == tmp_path / "now"


def test_what_only_graph_needs_is_missed_only_then(tmp_path: Path) -> None:
    settings = read(tmp_path, TENANT_ID="contoso")
    assert settings.required("TENANT_ID") == "contoso"
    with pytest.raises(SettingRefused, match="CLIENT_ID is not set"):
        settings.required("CLIENT_ID")


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    assert read(tmp_path, CLIENT_SECRET_FILE=str(file)).client_secret == "from a file"
    with pytest.raises(SettingRefused, match="CLIENT_SECRET_FILE is set beside CLIENT_SECRET"):
        read(tmp_path, CLIENT_SECRET_FILE=str(file), CLIENT_SECRET="also here")


def test_the_secret_key_is_made_once_and_only_we_may_read_it(tmp_path: Path) -> None:
    keys: list[str] = []
    starts = [threading.Thread(target=lambda: keys.append(read(tmp_path).secret_key)) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    shown = repr(read(tmp_path, CLIENT_SECRET="hunter2", DATABASE_URL="postgresql://ada:hunter2@db/pods"))
    assert "hunter2" not in shown


def test_only_people_on_the_allow_list_are_written_to(tmp_path: Path) -> None:
    settings = read(tmp_path, MAIL_ALLOWLIST="Ada@contoso.example, @pilot.example")
    assert settings.may_mail("ada@contoso.example")
    assert settings.may_mail("Grace@pilot.example")
    assert not settings.may_mail("alan@contoso.example")
    assert not settings.may_mail("mallory@evil.pilot.example")
    assert read(tmp_path).may_mail("anybody@contoso.example")


@pytest.mark.parametrize(
    ("graph", "authority"),
    [
        ("https://graph.microsoft.com/v1.0", "https://login.microsoftonline.com"),
        ("https://graph.microsoft.us/v1.0", "https://login.microsoftonline.us"),
        ("https://dod-graph.microsoft.us/v1.0", "https://login.microsoftonline.us"),
        ("https://microsoftgraph.chinacloudapi.cn/v1.0", "https://login.chinacloudapi.cn"),
        (LOCAL, LOCAL.removesuffix("/v1.0")),
    ],
)
def test_each_cloud_signs_in_at_its_own_authority(tmp_path: Path, graph: str, authority: str) -> None:
    assert read(tmp_path, GRAPH_BASE_URL=graph).authority == authority
