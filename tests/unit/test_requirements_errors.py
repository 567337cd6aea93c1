"""Error texts as people paste them are recognised, and lead to entries of the catalogue."""

from __future__ import annotations

import pytest

from aks_egress.requirements.catalogue import load
from aks_egress.requirements.errors import recognise

SEEN = {
    "Error from server: error dialing backend: dial tcp 10.240.0.70:10250: i/o timeout": "kubelet-timeout",
    'Error from server: Get "https://aks-pool-1:10250/containerLogs/ns/pod/c": dial tcp 10.0.0.4:10250: i/o timeout': "kubelet-timeout",
    "Error from server: error dialing backend: No agent available": "no-agent",
    'Get "https://10.0.0.4:10250/containerLogs/a/b": net/http: TLS handshake timeout': "kubelet-tls-timeout",
    "http: server gave HTTP response to HTTPS client": "kubelet-http",
    'Internal error occurred: failed calling webhook "x.y": Post "https://svc.ns.svc:443/m?timeout=10s": EOF': "webhook",
    "Ssh to tunnelend is not connected": "tunnelfront-log",
    "error: Metrics API not available": "metrics",
    "Action: Deny. Reason: SNI TLS extension was missing.": "sni-missing",
    "Unable to connect to the server: dial tcp 20.1.2.3:443: i/o timeout": "client-timeout",
    'Code="VMExtensionError_K8SAPIServerConnFail" Message="…"': "api-conn",
    "Enable failed: failed to execute command: command terminated with exit status=50": "outbound",
    '{ "ExitCode": "51", "Output": "" }': "api-conn",
    "VMExtensionError_K8SAPIServerDNSLookupFail": "api-dns",
    "vmssCSE exit status 31": "k8s-download",
    "exit code 211": "oras-network",
    "WINDOWS_CSE_ERROR_CHECK_API_SERVER_CONNECTIVITY": "windows-api",
    "RouteTableMissingDefaultRouteError": "no-default-route",
    "RouteTableInvalidNextHop": "bad-next-hop",
    "dial tcp: lookup aks-1.hcp.westeurope.azmk8s.io on 10.0.0.10:53: no such host": "lookup",
    "Back-off pulling image: ImagePullBackOff": "image-pull",
}


@pytest.mark.parametrize("text", SEEN)
def test_a_known_error_is_recognised(text: str) -> None:
    assert SEEN[text] in [one.id for one in recognise(text)]


@pytest.mark.parametrize(
    "text", ["", "all is well", "exit status 5", "exit status 500", "port 510", "150 pods"]
)
def test_what_is_no_known_error_is_not(text: str) -> None:
    assert recognise(text) == []


def test_the_more_telling_comes_first() -> None:
    found = recognise("VMExtensionError_K8SAPIServerConnFail: dial: no route to host")
    assert [one.id for one in found] == ["api-conn", "no-route-to-host"]


def test_case_does_not_matter() -> None:
    text = "ERROR DIALING BACKEND: DIAL TCP 10.0.0.4:10250: I/O TIMEOUT"
    assert [one.id for one in recognise(text)] == ["kubelet-timeout"]


def test_what_matched_is_part_of_the_text() -> None:
    for text in SEEN:
        assert all(one.matched in text for one in recognise(text))


def test_every_error_leads_to_entries_and_a_page() -> None:
    ids = {one.id for one in load().entries}
    for row in load().errors:
        assert set(row["requirements"]) <= ids, row["id"]
        assert all(load().sources[key].url for key in row["sources"])


@pytest.mark.parametrize("row", load().errors, ids=lambda row: row["id"])
def test_every_error_is_recognised_by_what_people_see(row: dict[str, object]) -> None:
    exits = [f"exit status {code}" for code in row.get("exits", ())]  # type: ignore[attr-defined]
    texts = [*row["seen"], *exits]  # type: ignore[misc]
    for text in texts:
        assert row["id"] in [one.id for one in recognise(text)], text
