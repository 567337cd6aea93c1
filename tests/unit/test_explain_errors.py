"""`explain` given what people see on their screens: whole outputs, in any case, broken anywhere, and what is no error of ours."""

from __future__ import annotations

import json
import time

import pytest

from aks_egress.requirements.errors import nodes_in, recognise
from aks_egress_scan.__main__ import main

#: what stands on a screen -> the known errors in it, the more telling first
SCREENS = {
    'Error from server: Get "https://aks-np1-12345678-vmss000000:10250/containerLogs/default/web/web": dial tcp 10.240.0.4:10250: i/o timeout': [
        "kubelet-timeout"
    ],
    "ERROR FROM SERVER: ERROR DIALING BACKEND: DIAL TCP 10.240.0.70:10250: I/O TIMEOUT": ["kubelet-timeout"],
    "Error from server: error dialing backend: dial tcp 10.240.0.4:10250: getsockopt: connection timed out": [
        "kubelet-timeout"
    ],
    "error dialing backend: dial tcp [fd00:1::4]:10250: i/o timeout": ["kubelet-timeout"],
    "error dialing backend: dial tcp 10.240.0.4:10250: connect: connection refused": ["kubelet-refused"],
    "error dialing backend: dial tcp 10.240.0.4:10250: connect: no route to host": [
        "kubelet-timeout",
        "no-route-to-host",
    ],
    "error: error upgrading connection: error dialing backend: dial tcp 10.240.0.4:10250: i/o timeout": [
        "kubelet-timeout"
    ],
    "Error from server: error dialing backend: EOF": ["tunnel-cut"],
    "error dialing backend: read tcp 10.0.0.1:443->10.2.0.4:10250: read: connection reset by peer": [
        "tunnel-cut"
    ],
    "Error from server: error dialing backend: No agent available": ["no-agent"],
    'Get "https://10.240.0.4:10250/containerLogs/a/b/c": net/http: TLS handshake timeout': [
        "kubelet-tls-timeout"
    ],
    'Get "https://10.240.0.4:10250/x": http: server gave HTTP response to HTTPS client': ["kubelet-http"],
    'Internal error occurred: failed calling webhook "x": failed to call webhook: Post "https://s.n.svc:443/m?timeout=10s": EOF': [
        "webhook"
    ],
    'failed calling webhook "x": Post "https://s.n.svc:443/m": No agent available': ["no-agent", "webhook"],
    "error: Metrics API not available": ["metrics"],
    "the server is currently unable to handle the request (get nodes.metrics.k8s.io)": ["metrics"],
    "WRN: Was not able to establish connection to tunnelend": ["tunnelfront-log"],
    "Ssh to tunnelend is not connected": ["tunnelfront-log"],
    'E0719 "cannot connect once" err="rpc error: desc = \\"transport: Error while dialing: dial tcp 20.1.2.3:443: i/o timeout\\""': [
        "agent-timeout",
        "agent-log",
    ],
    'E0719 "connection read failure" err="EOF"': ["agent-log"],
    'desc = "transport: authentication handshake failed: EOF"': ["agent-log"],
    'I0719 "error dialing backend" error="dial tcp 10.240.0.5:10250: i/o timeout" dialID=1': [
        "kubelet-timeout"
    ],
    "authentication handshake failed: tls: first record does not look like a TLS handshake": [
        "tls-inspection"
    ],
    "remote error: tls: no application protocol": ["tls-inspection"],
    "HTTPS request from 10.1.0.5:51234. Action: Deny. Reason: SNI TLS extension was missing.": [
        "sni-missing"
    ],
    "Unable to connect to the server: dial tcp 20.1.2.3:443: i/o timeout": ["client-timeout"],
    "Unable to connect to the server: dial tcp 20.1.2.3:443: connectex: A connection attempt failed": [
        "client-timeout"
    ],
    "Unable to connect to the server: net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)": [
        "client-timeout"
    ],
    "The connection to the server aks-1.hcp.eastus.azmk8s.io:443 was refused - did you specify the right host or port?": [
        "client-timeout"
    ],
    'E1128 memcache.go:265] couldn\'t get current server API group list: Get "https://a:443/api?timeout=32s": dial tcp 20.1.2.3:443: i/o timeout': [
        "client-timeout"
    ],
    "Unable to connect to the server: net/http: TLS handshake timeout": ["client-tls"],
    "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority": [
        "client-tls"
    ],
    "Unable to connect to the server: dial tcp: lookup aks-1.privatelink.westeurope.azmk8s.io on 10.0.0.10:53: no such host": [
        "client-lookup"
    ],
    "dial tcp: lookup mcr.microsoft.com on 10.0.0.10:53: server misbehaving": ["lookup"],
    'Message="Enable failed: failed to execute command: command terminated with exit status=51\\n{ \\"ExitCode\\": \\"51\\" }"': [
        "api-conn"
    ],
    "node exited with code 51": ["api-conn"],
    "WINDOWS_CSE_ERROR_CHECK_API_SERVER_CONNECTIVITY": ["windows-api"],
    "CustomPrivateDNSZoneMissingPermissionError": ["private-zone-rights"],
    "(RouteTableMissingDefaultRouteError) Route table rt does not have a default route": ["no-default-route"],
    "RouteTableInvalidNextHop": ["bad-next-hop"],
    "EgressBlocked": ["egress-blocked"],
}


@pytest.mark.parametrize("text", SCREENS)
def test_what_is_on_the_screen_is_known(text: str) -> None:
    assert [one.id for one in recognise(text)] == SCREENS[text]


@pytest.mark.parametrize("text", SCREENS)
def test_neither_case_nor_words_around_it_matter(text: str) -> None:
    around = f'$ kubectl logs web -n shop\nDefaulted container "web" out of: web, sidecar\n{text.upper()}\n$ '
    assert [one.id for one in recognise(around)] == SCREENS[text]


#: errors of which one half is an error too: what stands behind the place where the line breaks
HALVES = ("no-route-to-host", "client-tls", "client-lookup")


@pytest.mark.parametrize("text", [text for text, ids in SCREENS.items() if not set(HALVES) & set(ids)])
def test_a_line_may_be_broken_between_words(text: str) -> None:
    """As a narrow terminal shows it."""
    broken = text.replace(" ", "\n", text.count(" ") // 2)
    assert [one.id for one in recognise(broken)][:1] == SCREENS[text][:1]


#: exit codes of a Linux node's start-up -> what they mean
EXITS = {
    "outbound": "50",
    "api-conn": "51",
    "api-dns": "52",
    "api-azure-dns": "53",
    "k8s-download": "31",
    "cni-download": "41",
    "packages": "42 26 99 98",
    "gpu": "83 84 85 86 225 226",
    "stall": "124",
    "imds": "210 234",
    "oras-network": "211",
    "oras-unauthorized": "212",
    "dns-health": "215 216 217 218 219",
}


@pytest.mark.parametrize(
    ("known", "code"), [(known, code) for known, codes in EXITS.items() for code in codes.split()]
)
@pytest.mark.parametrize(
    "form", ["exit status={}", "exit status {}", "exit code: {}", '"ExitCode": "{}"', "(exit {})"]
)
def test_an_exit_code_of_a_node_s_start_up_is_known(known: str, code: str, form: str) -> None:
    assert [one.id for one in recognise(form.format(code))] == [known]


@pytest.mark.parametrize(
    "text",
    [
        "command terminated with exit code 50",
        "command terminated with exit code 137",
        "pod/web created",
        "took 51 s",
        "https://10.0.0.4:10250/healthz: 200 OK",
        "unable to upgrade connection: Forbidden",
        "x509: certificate has expired or is not yet valid",
    ],
)
def test_what_says_nothing_of_the_network_is_not_taken_for_it(text: str) -> None:
    """`command terminated with exit code` is how `kubectl exec` ends, whatever ran there."""
    assert recognise(text) == []


def test_one_line_s_node_and_another_line_s_timeout_make_no_error() -> None:
    assert recognise("watching https://10.0.0.4:10250/metrics\nreading a file: i/o timeout\nEgressBlocked")[
        0
    ].id == ("egress-blocked")


def test_a_long_text_takes_no_time() -> None:
    began = time.monotonic()
    recognise("lookup " * 9000)
    recognise(":10250" * 10_000)
    recognise("error dialing backend: dial tcp " * 2000)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("dial tcp 10.240.0.4:10250: i/o timeout", ("10.240.0.4",)),
        (
            'Get "https://AKS-np1-vmss00000A:10250/x": dial tcp 10.0.0.4:10250: x',
            ("aks-np1-vmss00000a", "10.0.0.4"),
        ),
        ("dial tcp [FD00:1::4]:10250: i/o timeout", ("fd00:1::4",)),
        ("dial tcp 10.0.0.4:102501: x", ()),
        ("dial tcp 10.0.0.4:443: x", ()),
    ],
)
def test_the_nodes_that_a_text_names(text: str, nodes: tuple[str, ...]) -> None:
    assert nodes_in(text) == nodes


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("HTTPProxyWrongUrlError", "EGR604"),
        ("(InvalidUserDefinedRoutingWithLoadBalancerProfile) the profile is not allowed", "EGR701"),
    ],
)
def test_a_code_that_a_rule_s_page_quotes_leads_there(
    code: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", code]) == 0
    assert capsys.readouterr().out.startswith(f"# {rule} ")


def test_an_unknown_text_gets_an_honest_answer_and_a_way_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "error: You must be logged in to the server (Unauthorized)"]) == 2
    said = capsys.readouterr().err
    assert "says nothing for or against the network" in said
    assert "aks-egress triage --cluster NAME --error -" in said


def test_an_unknown_text_betrays_no_token(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "header Authorization: Bearer 0123456789abcdef"]) == 2
    assert "0123456789" not in capsys.readouterr().err


def test_the_answer_acts_on_no_pipeline_and_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "lookup \x1b[31m##[error]x password=hunter2hunter2 no such host"
    for style in ("text", "json"):
        assert main(["explain", hostile, "--format", style]) == 0
        said = capsys.readouterr().out
        assert "\x1b" not in said
        assert "##[" not in said
        assert "hunter2" not in said
    assert "\x1b[31m" in json.loads(said)[0]["matched"]
