"""Our checks inside the real `checkov`, which needs an environment of its own: its pins clash with ours.

`make test-checkov` makes that environment and runs this file; else the command that `CHECKOV` names, or a `checkov`
on the PATH, is used.  Tried with checkov 3.3.30 on Python 3.11.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aks_egress_scan.__main__ import main
from aks_egress_scan.checkov_bridge import ID

TOP = Path(__file__).resolve().parents[2]
EXAMPLE = TOP / "examples" / "hub-and-spoke"
CHECKOV = os.environ.get("CHECKOV") or shutil.which("checkov") or ""
#: folder -> the frameworks that look at it; one network defined twice in one folder would be ambiguous
FRAMEWORKS = {"others": ("terraform", "terraform_plan", "bicep"), "arm": ("arm",)}

pytestmark = pytest.mark.skipif(
    not CHECKOV, reason="no checkov: run `make test-checkov`, or name the command in CHECKOV"
)

BICEP = """\
resource nsg 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-nodes'
  location: 'eastus'
  properties: {
    securityRules: [
      {
        name: 'https'
        properties: {
          priority: 100
          direction: 'Outbound'
          access: 'ACCESS'
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: 'Internet'
          destinationPortRange: '443'
        }
      }
    ]
  }
}

resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet'
  location: 'eastus'
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.0.0.0/16'
      ]
    }
    subnets: [
      {
        name: 'nodes'
        properties: {
          addressPrefix: '10.0.0.0/24'
          networkSecurityGroup: {
            id: nsg.id
          }
        }
      }
    ]
  }
}

resource aks 'Microsoft.ContainerService/managedClusters@2024-09-01' = {
  name: 'aks-bicep'
  location: 'eastus'
  properties: {
    dnsPrefix: 'aks'
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        vnetSubnetID: vnet.properties.subnets[0].id
      }
    ]
  }
}
"""


def _written(folder: Path, variant: str) -> None:
    """The example in every dialect; its Bicep is in words that checkov's parser knows."""
    others, arm = folder / "others", folder / "arm"
    for one in (others / "source", others / "planned", arm):
        one.mkdir(parents=True)
    for file in (EXAMPLE / "terraform").glob("*.tf"):
        shutil.copy(file, others / "source")
    shutil.copy(EXAMPLE / f"terraform/variants/{variant}.tfvars", others / "source" / "terraform.tfvars")
    shutil.copy(EXAMPLE / f"terraform/plans/{variant}.json", others / "planned" / "plan.json")
    access = "Allow" if variant == "sound" else "Deny"
    (others / "main.bicep").write_text(BICEP.replace("ACCESS", access), "utf-8")
    for part in ("hub", "spoke"):
        shutil.copy(EXAMPLE / f"arm/{part}.json", arm)
        shutil.copy(EXAMPLE / f"arm/parameters/{variant}/{part}.parameters.json", arm)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What checkov answers about the sound and the broken variant, by framework."""
    home = tmp_path_factory.mktemp("checkov")
    found: dict[str, dict[str, Any]] = {}
    for variant in ("sound", "konnectivity"):
        _written(home / variant, variant)
        for folder, frameworks in FRAMEWORKS.items():
            told = _checkov(home / variant / folder, frameworks, 0 if variant == "sound" else 1)
            found.setdefault(variant, {}).update(told)
    return found


def _checkov(folder: Path, frameworks: tuple[str, ...], status: int) -> dict[str, Any]:
    command = [CHECKOV, "--directory", str(folder), "--framework", *frameworks, "--output", "json"]
    command += ["--check", ID, "--skip-download", "--external-checks-dir", checks_folder(), "--compact"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LOG_LEVEL": "ERROR", "AKS_EGRESS_CACHE_DIR": str(folder / "tags")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    told = json.loads(done.stdout)
    return {one["check_type"]: one["results"] for one in (told if isinstance(told, list) else [told])}


def checks_folder() -> str:
    """What `aks-egress checkov-dir` prints."""
    import io
    from contextlib import redirect_stdout

    out = io.StringIO()
    with redirect_stdout(out):
        assert main(["checkov-dir"]) == 0
    return out.getvalue().strip()


def _resources(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(one["resource"] for one in rows)


@pytest.mark.parametrize(
    ("framework", "cluster", "at_fault"),
    [
        ("terraform", "azurerm_kubernetes_cluster.shop", 'azurerm_network_security_group.nodes["system"]'),
        (
            "terraform_plan",
            "azurerm_kubernetes_cluster.shop",
            'azurerm_network_security_group.nodes["system"]',
        ),
        (
            "arm",
            "Microsoft.ContainerService/managedClusters.aks-shop",
            "Microsoft.Network/networkSecurityGroups.nsg-system",
        ),
        (
            "bicep",
            "Microsoft.ContainerService/managedClusters.aks",
            "Microsoft.Network/networkSecurityGroups.nsg",
        ),
    ],
)
def test_checkov_reports_who_is_at_fault(
    reports: dict[str, dict[str, Any]], framework: str, cluster: str, at_fault: str
) -> None:
    """The cluster passes in the sound network; in the broken one it and the security group fail, and say why."""
    sound = reports["sound"][framework]
    assert _resources(sound["passed_checks"]) == [cluster]
    assert sound["failed_checks"] == []
    broken = reports["konnectivity"][framework]
    assert _resources(broken["failed_checks"]) == sorted([cluster, at_fault])
    assert broken["passed_checks"] == []
    for row in broken["failed_checks"]:
        said = " ".join([row["check_name"], *(row["details"] or ())])
        assert "EGR101 tunnel-blocked" in said
        assert "kubectl logs" in said
        assert "fix: add an outbound Allow rule" in said
