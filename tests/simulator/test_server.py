"""The server itself: kept connections, TLS, a free port, many at once."""

import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.graph.simulator.http.app import create_simulator
from integration.graph.simulator.http.server import Certificate, serve


def certificate_in(folder) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulator")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / "certificate.pem", folder / "key.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def test_it_speaks_tls_when_given_a_certificate(tenant, tmp_path):
    files = certificate_in(tmp_path)
    server = serve(create_simulator(tenant), "127.0.0.1", 0, certificate=files).start()
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    answer = httpx.get(f"{server.url}/v1.0/users", verify=trusting)
    server.stop()
    assert server.url.startswith("https://")
    assert answer.status_code == 401


def test_one_connection_serves_many_requests(graph):
    streams = {id(graph.get("/users?$top=1").extensions["network_stream"]) for _ in range(5)}
    assert len(streams) == 1


def test_two_simulators_are_two_tenants(tenant, simulator, graph):
    other = serve(create_simulator(tenant), "127.0.0.1", 0).start()
    elsewhere = httpx.get(f"{other.url}/control/state").json()
    other.stop()
    graph.get("/users")
    assert elsewhere["graph_requests"] == 0
    assert other.port != simulator.server.port


def test_errors_carry_the_ids_support_asks_for(graph):
    refused = graph.get("/nothing", headers={"client-request-id": "7f1b6f0e-0b7e-4d0e-9d6e-2f6f0a8f7c11"})
    inner = refused.json()["error"]["innerError"]
    assert inner["client-request-id"] == "7f1b6f0e-0b7e-4d0e-9d6e-2f6f0a8f7c11"
    assert inner["request-id"] == refused.headers["request-id"]
    assert inner["date"] == "2026-03-02T07:00:00"
    assert refused.headers["client-request-id"] == inner["client-request-id"]


def test_an_address_or_method_graph_does_not_have_is_refused(graph):
    assert graph.get("/users/pods.one@pods.example/shoes").json()["error"]["message"] == (
        "Resource not found for the segment 'shoes'."
    )
    assert graph.put("/users").status_code == 405


def test_addresses_in_odatas_other_spellings_are_the_same(graph):
    plain = graph.get("/users/pods.one@pods.example").json()
    assert graph.get("/users('pods.one@pods.example')").json() == plain
    assert graph.get("/users/microsoft.graph.delta()").status_code == 200


def test_thirty_held_requests_leave_room_for_others(simulator, graph, control):
    control.post("/faults", json=[{"match": {"path": "top=1$"}, "do": "hold", "times": None}])
    url = f"{simulator.graph_url}/users?$top=1"
    waiting = [
        threading.Thread(target=httpx.get, args=(url,), kwargs={"verify": False, "timeout": 20}) for _ in range(30)
    ]
    for thread in waiting:
        thread.start()
    deadline = time.monotonic() + 10
    while len(control.get("/held").json()) < 30 and time.monotonic() < deadline:
        time.sleep(0.01)
    held, other = len(control.get("/held").json()), graph.get("/users?$top=2").status_code
    control.delete("/faults")
    for thread in waiting:
        thread.join(5)
    assert (held, other) == (30, 200)
