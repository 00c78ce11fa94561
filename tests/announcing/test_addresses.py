from __future__ import annotations

import pytest

from integration.announcing.addresses import Reach, check_url, resolve
from integration.errors import InputRefused

INSIDE = Reach(private=True)
HERE = Reach(loopback=True)
NOWHERE = Reach()


@pytest.mark.parametrize(
    "url",
    [
        "http://pods.example/hook",
        "ftp://pods.example/",
        "https://ada:secret@pods.example/",
        "https:///hook",
        "https://[::1",
        "https://pods.example:99999/",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/",
        "https://[ff02::1]/",
        "https://[fe80::1]/",
    ],
)
def test_what_may_never_be_told_is_refused_whatever_is_allowed(url):
    with pytest.raises(InputRefused):
        check_url(url, Reach(private=True, loopback=True))


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.5/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://127.0.0.1/",
        "http://localhost:8080/",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.5]/",
    ],
)
def test_what_only_the_inside_reaches_is_told_only_where_that_is_allowed(url):
    assert check_url(url, INSIDE) == url
    with pytest.raises(InputRefused, match="not public"):
        check_url(url, NOWHERE)


def test_this_machine_is_told_where_somebody_is_trying_things_out_and_its_neighbours_are_not():
    assert check_url("http://127.0.0.1:9000/hook", HERE)
    with pytest.raises(InputRefused):
        check_url("https://10.0.0.5/", HERE)


def test_a_name_that_leads_inside_is_refused_when_something_is_sent():
    assert check_url("https://localhost.localdomain/", NOWHERE)  # names are not looked up before
    with pytest.raises(InputRefused):
        resolve("https://localhost/", NOWHERE)


def test_the_address_that_was_checked_is_the_one_connected_to():
    target = resolve("http://localhost:9000/hook?a=1", HERE)

    assert target.url in ("http://127.0.0.1:9000/hook?a=1", "http://[::1]:9000/hook?a=1")
    assert (target.host, target.authority) == ("localhost", "localhost:9000")


def test_public_addresses_over_https_are_told():
    assert check_url(" https://93.184.216.34/hook ", NOWHERE) == "https://93.184.216.34/hook"
