"""The check for ARM templates and Bicep: a resource fails where it keeps a flow that AKS needs from getting through."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from checkov.arm.base_resource_check import BaseResourceCheck
from checkov.common.models.enums import CheckCategories, CheckResult

_HOME = Path(__file__).resolve().parents[2]
# Where this environment has no aks-egress of its own, the one that this file is part of is used.
sys.path += [str(one) for one in (_HOME, _HOME.parent / "policies") if one.is_dir()]

from aks_egress_scan.checkov_bridge import ID, TITLE, Asked, asked_paths, verdicts  # noqa: E402

KINDS = (
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/firewallPolicies",
    "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
    "Microsoft.Network/natGateways",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/networkSecurityGroups/securityRules",
    "Microsoft.Network/routeTables",
    "Microsoft.Network/routeTables/routes",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Network/virtualNetworks/subnets",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
)


class AksEgress(BaseResourceCheck):
    """One answer for each resource, from one report for all."""

    def __init__(self) -> None:
        super().__init__(
            name=TITLE, id=ID, categories=[CheckCategories.NETWORKING], supported_resources=KINDS
        )
        self._lines = (0, 0)

    def scan_entity_conf(self, conf: dict[str, Any], entity_type: str) -> CheckResult:
        """As the base does, for which Bicep's lines stand around what it hands on."""
        self._lines = (_line(conf, "start"), _line(conf, "end"))
        return super().scan_entity_conf(conf, entity_type)

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:  # noqa: ARG002 - only its place matters
        """FAILED with our text; UNKNOWN, which checkov leaves out, where nothing is to be said.

        These two runners of checkov drop the details of a check and keep its name, so the text is in both.
        """
        paths, path = asked_paths(self.entity_path.rsplit(f":{self.entity_type}:", 1)[0])
        answer = verdicts(paths).answer(Asked(path, *self._lines, self.entity_type))
        self.details.extend(answer.texts)
        self.name = ": ".join([TITLE, *(["; ".join(answer.texts)] if answer.texts else [])])
        if answer.sound is None:
            return CheckResult.UNKNOWN
        return CheckResult.PASSED if answer.sound else CheckResult.FAILED


def _line(conf: dict[str, Any], which: str) -> int:
    return int(conf.get(f"__{which}_line__") or conf.get(f"__{which}line__") or 0)


check = AksEgress()
