"""Signing in: which cloud is asked for which token, and what is said where nobody is signed in."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.identity")

import azure.identity
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline.transport import HttpTransport

from aks_egress_scan.cli import run
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.choices import CREDENTIALS
from aks_egress_scan.live.clouds import CLOUDS
from aks_egress_scan.live.collect import Scope, collect
from aks_egress_scan.live.session import CREDENTIALS as CLASSES
from aks_egress_scan.live.session import Session, connect

MANAGERS = {
    "public": "https://management.azure.com",
    "china": "https://management.chinacloudapi.cn",
    "usgov": "https://management.usgovcloudapi.net",
}
AUTHORITIES = {
    "public": "login.microsoftonline.com",
    "china": "login.chinacloudapi.cn",
    "usgov": "login.microsoftonline.us",
}


class Wire(HttpTransport[Any, Any]):
    """A network on which nobody answers; it keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, request: Any, **_: Any) -> Any:
        self.sent.append(request)
        raise ServiceRequestError("nobody is there")

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class Person:
    """Somebody who is signed in, and remembers for what."""

    def __init__(self, token: str = "token") -> None:  # noqa: S107 - nobody's
        self.token, self.scopes = token, set[str]()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes |= set(scopes)
        return AccessToken(self.token, 4_102_444_800)


@pytest.mark.parametrize("cloud", MANAGERS)
def test_each_client_asks_the_manager_of_its_cloud_with_a_token_for_it(cloud: str) -> None:
    wire, person = Wire(), Person()
    session = Session(CLOUDS[cloud], person, transport=wire, retry_total=0)
    with pytest.raises(UsageFailure):
        collect(session, Scope())
    for ask in (
        lambda: session.network("s").virtual_networks.get("g", "n"),
        lambda: session.containers("s").managed_clusters.get("g", "n"),
    ):
        with pytest.raises(ServiceRequestError):
            ask()
    assert len(wire.sent) == 3
    assert {one.url.split("/", 3)[2] for one in wire.sent} == {MANAGERS[cloud].removeprefix("https://")}
    assert {one.url.split(":")[0] for one in wire.sent} == {"https"}
    assert person.scopes == {f"{MANAGERS[cloud]}/.default"}
    assert {one.headers["Authorization"] for one in wire.sent} == {"Bearer token"}


@pytest.mark.parametrize("cloud", AUTHORITIES)
@pytest.mark.parametrize("name", ["default", "environment", "device-code", "browser", "managed-identity"])
def test_the_authority_of_the_cloud_gives_the_token(
    cloud: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def made(**arguments: Any) -> Person:
        given.update(arguments)
        return Person()

    monkeypatch.setattr(azure.identity, CLASSES[name], made)
    session = connect(cloud, name)
    assert given["authority"] == AUTHORITIES[cloud]
    assert session.endpoint == MANAGERS[cloud]


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize("tenant", ["", "00000000-0000-0000-0000-00000000000a"])
def test_every_credential_takes_what_it_is_given(
    name: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real class is made; what it says for a token is somebody else's matter."""
    for one in ("CLIENT_ID", "TENANT_ID", "FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(f"AZURE_{one}", "00000000-0000-0000-0000-00000000000b")

    def nobody(*_: Any, **__: Any) -> Any:
        raise ClientAuthenticationError("nobody.\nIn many lines.")

    monkeypatch.setattr(getattr(azure.identity, CLASSES[name]), "get_token", nobody)
    with pytest.raises(UsageFailure) as failure:
        connect("public", name, tenant)
    if tenant and name == "managed-identity":
        assert "leave `--tenant` out" in str(failure.value)
        return
    assert str(failure.value) == (
        "nobody is signed in to Azure: nobody; run `az login`, or name another way with `--credential`"
    )


@pytest.mark.parametrize("client", ["", "11111111-2222-3333-4444-555555555555"])
def test_a_user_assigned_identity_is_the_one_that_the_environment_names(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for `default`: a machine may have several, and Azure refuses to choose."""
    given: dict[str, Any] = {}

    def made(**arguments: Any) -> Person:
        given.update(arguments)
        return Person()

    monkeypatch.setattr(azure.identity, "ManagedIdentityCredential", made)
    monkeypatch.setenv("AZURE_CLIENT_ID", client)
    connect("public", "managed-identity")
    assert given.get("client_id", "") == client


AZ = """#!/bin/sh
echo "$@" >> "$AZ_WAS_ASKED"
echo '{"accessToken": "head.e30.signature", "expires_on": 4102444800, "expiresOn": "2100-01-01 00:00:00.000000"}'
"""


@pytest.mark.parametrize("name", ["default", "cli"])
def test_the_tenant_that_is_named_is_the_one_that_tokens_are_of(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`DefaultAzureCredential` takes none and would answer with the tenant that `az login` was for last."""
    command = tmp_path / "az"
    command.write_text(AZ, encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("AZ_WAS_ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    session = connect("public", name, "11111111-2222-3333-4444-555555555555")
    session.credential.get_token("https://management.azure.com/.default")
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert len(asked) == 2
    assert all("--tenant 11111111-2222-3333-4444-555555555555" in one for one in asked)


def test_the_help_names_the_credentials_that_there_are() -> None:
    assert tuple(CLASSES) == CREDENTIALS


@pytest.mark.parametrize(
    ("cloud", "how"),
    [
        ("china", "run `az cloud set --name AzureChinaCloud` and `az login`"),
        ("usgov", "run `az cloud set --name AzureUSGovernment` and `az login`"),
    ],
)
def test_nobody_signed_in_to_another_cloud_is_told_how(
    cloud: str, how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    for command in ("audit", "snapshot"):
        assert run([command, "--credential", "cli", "--cloud", cloud]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("aks-egress: nobody is signed in to Azure: ")
        assert how in line


def token(**claims: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


def who(said: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(azure.identity, "AzureCliCredential", lambda **_: Person(said))
    return connect("public", "cli").who


def test_who_is_signed_in_is_marked_and_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted work is gone on with by the same person only."""
    one = who(token(tid="t", oid="ada", exp="1"), monkeypatch)
    assert who(token(tid="t", oid="ada", exp="2"), monkeypatch) == one
    assert who(token(tid="t", oid="bob"), monkeypatch) != one
    assert who(token(tid="u", oid="ada"), monkeypatch) != one
    assert "ada" not in one
    assert who("no token that can be read", monkeypatch) == "cli "
