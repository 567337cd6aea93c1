"""Only the checks that something concerns are asked, and leaving the others out changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.builders import (
    cluster,
    firewall,
    judged,
    nsg,
    policy,
    route,
    rule,
    rules_of,
    subnet,
    table,
    template,
    vnet,
)

import aks_egress.checks.registry  # noqa: F401  every check is at hand
from aks_egress.checks import running
from aks_egress.checks.base import CHECKS, Context
from aks_egress.findings.report import Finding

CHECKS_FOLDER = Path(running.__file__).parent

NODES = subnet("nodes", "10.0.0.0/24")
GUARDED = subnet("nodes", "10.0.0.0/24", nsg="nsg")
ROUTED = subnet("nodes", "10.0.0.0/24", table="routes")
HUB = vnet("hub", "10.9.0.0/16", subnet("AzureFirewallSubnet", "10.9.0.0/26"))
NETWORKS = {
    "nothing": [vnet("net", "10.0.0.0/16", NODES), cluster("nodes", outbound="loadBalancer")],
    "no route": [vnet("net", "10.0.0.0/16", NODES), cluster("nodes")],
    "a group": [
        vnet("net", "10.0.0.0/16", GUARDED),
        nsg("nsg", rule("deny", 200, "Deny", "Internet", "9000"), rule("odd", 300, "Deny", "a b", "1")),
        cluster("nodes", outbound="loadBalancer"),
    ],
    "shut": [
        vnet("net", "10.0.0.0/16", GUARDED),
        nsg("nsg", rule("deny", 200, "Deny")),
        cluster("nodes", outbound="loadBalancer"),
    ],
    "a table": [
        vnet("net", "10.0.0.0/16", ROUTED),
        table("routes", route("all", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")),
        cluster("nodes"),
    ],
    "a firewall": [
        vnet("net", "10.0.0.0/16", ROUTED),
        HUB,
        firewall(),
        policy(),
        rules_of("policy/group", 100),
        table("routes", route("all", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")),
        cluster("nodes"),
    ],
    "a private cluster": [
        vnet("net", "10.0.0.0/16", NODES),
        cluster(
            "nodes",
            outbound="loadBalancer",
            apiServerAccessProfile={
                "enablePrivateCluster": True,
                "privateDNSZone": "none",
                "enablePrivateClusterPublicFQDN": False,
            },
        ),
    ],
    "a proxy": [
        vnet("net", "10.0.0.0/16", NODES),
        cluster(
            "nodes", outbound="loadBalancer", httpProxyConfig={"httpProxy": "http://p:1", "noProxy": ["*.a"]}
        ),
    ],
}


def test_the_table_names_every_module_of_checks() -> None:
    registered = {function.__module__.rpartition(".")[2] for _, function in CHECKS}
    assert set(running.ASKED) == registered
    assert registered == {
        path.stem for path in CHECKS_FOLDER.glob("*.py") if "\n@check(" in path.read_text(encoding="utf-8")
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_not_asked_would_say_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    silent: dict[str, list[Finding]] = {}

    def ask(context: Context, severities: object) -> list[Finding]:
        for rules, function in CHECKS:
            module = function.__module__.rpartition(".")[2]
            if not running.ASKED[module](context):
                silent[rules[0].code] = list(function(context))
        return []

    monkeypatch.setattr("aks_egress.engine.run", ask)
    judged(*NETWORKS[name])
    assert {code for code, found in silent.items() if found} == set()
    assert silent


def test_a_sound_network_without_routes_imports_one_of_them(tmp_path: Path) -> None:
    inputs = tmp_path / "network.json"
    inputs.write_text(template(*NETWORKS["nothing"]), encoding="utf-8")
    code = (
        "import sys; from aks_egress_scan.__main__ import main; main(sys.argv[1:]); "
        "print(*(name for name in sys.modules if name.startswith('aks_egress.checks.')))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, "scan", str(inputs)], capture_output=True, text=True, check=True
    )
    loaded = {name.rpartition(".")[2] for name in said.stdout.splitlines()[-1].split()}
    assert loaded & set(running.ASKED) == {"cluster_settings"}
