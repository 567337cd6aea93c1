"""The check for Terraform source and plans: a resource fails where it keeps a flow that AKS needs from getting through."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

_HOME = Path(__file__).resolve().parents[2]
# Where this environment has no aks-egress of its own, the one that this file is part of is used.
sys.path += [str(one) for one in (_HOME, _HOME.parent / "policies") if one.is_dir()]

from aks_egress_scan.checkov_bridge import ID, TITLE, Asked, asked_paths, verdicts  # noqa: E402
from aks_egress_scan.readers.mapping.azurerm import FOLDS, TYPES  # noqa: E402
from aks_egress_scan.readers.terraform.identity import AZAPI  # noqa: E402


class AksEgress(BaseResourceCheck):
    """One answer for each resource, from one report for all."""

    def __init__(self) -> None:
        kinds = sorted({*TYPES, *FOLDS, *AZAPI})
        super().__init__(
            name=TITLE, id=ID, categories=[CheckCategories.NETWORKING], supported_resources=kinds
        )

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """FAILED with our text in the details; UNKNOWN, which checkov leaves out, where nothing is to be said."""
        paths, path = asked_paths(self.entity_path.rsplit(f":{self.entity_type}:", 1)[0])
        asked = Asked(
            path,
            _line(conf, "__start_line__", "__startline__"),
            _line(conf, "__end_line__", "__endline__"),
            self.entity_type,
            str(conf.get("__address__") or ""),
        )
        answer = verdicts(paths).answer(asked)
        self.details.extend(answer.texts)
        if answer.sound is None:
            return CheckResult.UNKNOWN
        return CheckResult.PASSED if answer.sound else CheckResult.FAILED


def _line(conf: dict[str, Any], *names: str) -> int:
    found = next((conf[name] for name in names if name in conf), 0)
    return int(found[0] if isinstance(found, list) else found)


check = AksEgress()
