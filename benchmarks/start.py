"""Start-up and a small scan, as multiples of the bare interpreter.

Every command runs in a process of its own, in turns, so that a busy machine is busy for all of them;
the fastest of the runs counts.  `small` is one template of a few resources, as a pre-commit hook
meets it; `example` is the hub and spoke of examples/, two templates with their parameters.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples/hub-and-spoke/arm"
RUNS = 15


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.json"
        small.write_text(json.dumps(small_template()), encoding="utf-8")
        commands = {
            "python -c pass": ["-c", "pass"],
            "--version": ["-m", "aks_egress_scan", "--version"],
            "scan small.json": ["-m", "aks_egress_scan", "scan", str(small)],
            "scan example": ["-m", "aks_egress_scan", "scan", *_example()],
        }
        best = dict.fromkeys(commands, float("inf"))
        for _ in range(RUNS):
            for name, arguments in commands.items():
                best[name] = min(best[name], _timed(arguments))
    floor = best["python -c pass"]
    print("start-up, best of", RUNS)
    for name, seconds in best.items():
        print(f"  {name:<18} {seconds * 1000:7.1f} ms  {seconds / floor:5.1f} x")
    return 0


def _timed(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - started


def _example() -> list[str]:
    chosen = EXAMPLE / "parameters/sound"
    given = [str(EXAMPLE / "hub.json"), str(EXAMPLE / "spoke.json")]
    for name in ("hub", "spoke"):
        given += ["--param", str(chosen / f"{name}.parameters.json")]
    return given


def small_template() -> dict[str, object]:
    """A network, a security group and a cluster."""
    group = "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg-nodes')]"
    subnet = "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'vnet', 'nodes')]"
    deny = {
        "priority": 4000,
        "direction": "Outbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "Internet",
        "destinationPortRange": "9000",
    }
    nodes = {
        "name": "nodes",
        "properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": group}},
    }
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            _resource(
                "Microsoft.Network/networkSecurityGroups",
                "nsg-nodes",
                {"securityRules": [{"name": "deny", "properties": deny}]},
            ),
            _resource(
                "Microsoft.Network/virtualNetworks",
                "vnet",
                {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [nodes]},
            ),
            _resource(
                "Microsoft.ContainerService/managedClusters",
                "aks",
                {
                    "dnsPrefix": "aks",
                    "agentPoolProfiles": [{"name": "system", "mode": "System", "vnetSubnetID": subnet}],
                },
            ),
        ],
    }


def _resource(kind: str, name: str, properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": kind,
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "westeurope",
        "properties": properties,
    }


if __name__ == "__main__":
    raise SystemExit(main())
