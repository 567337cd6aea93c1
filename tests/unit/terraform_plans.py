"""Small plans for tests: written by hand in the form that `terraform show -json` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aks_egress.arm.resources import Document, Resource
from aks_egress.values import Unknown, unknowns
from aks_egress_scan.readers.base import Parameters, Source
from aks_egress_scan.readers.terraform_plan import READER

#: a hub and two spokes: `plan.json` and the states were made by Terraform 1.11 from `main.tf` beside them, with a
#: provider that has the schema of azurerm 3 and does nothing; the registry's host is taken out of provider names
HUB = Path(__file__).parent / "data" / "terraform-hub"

GROUP = "rg"
SCOPE = f"/subscriptions/{{subscription}}/resourceGroups/{GROUP}/providers/Microsoft.Network"


def refs(*references: str) -> dict[str, Any]:
    """An expression as a plan shows it: every reference in full, then ever shorter."""
    found: list[str] = []
    for reference in references:
        steps = reference.split(".")
        shortest = 3 if steps[0] in ("data", "module") and len(steps) > 2 else 2
        found += [".".join(steps[:length]) for length in range(len(steps), shortest - 1, -1)]
    return {"references": found}


def resource(
    address: str,
    values: dict[str, Any] | None = None,
    unknown: Any = None,
    expressions: dict[str, Any] | None = None,
    *,
    actions: tuple[str, ...] = ("create",),
    before: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One resource instance with everything that a plan says about it; `plan` sorts it in."""
    return {
        "address": address,
        "values": {"resource_group_name": GROUP, **(values or {})},
        "unknown": {} if unknown is None else unknown,
        "expressions": expressions or {},
        "actions": list(actions),
        "before": before,
        **more,
    }


def _split(address: str) -> tuple[list[str], str, str, str]:
    *outer, kind, name = address.replace("]", "").split(".")
    mode = "managed"
    if outer and outer[-1] == "data":
        mode = "data"
        outer = outer[:-1]
    return [one for one in outer if one != "module"], mode, kind, name


def plan(*rows: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A plan of some resources of the root module (addresses without dots in their keys)."""
    planned, changes, declared = [], [], {}
    for row in rows:
        _, mode, kind, spelled = _split(row["address"])
        name, _, index = spelled.partition("[")
        key = {} if not index else {"index": int(index) if index.isdecimal() else index.strip('"')}
        common = {"address": row["address"], "mode": mode, "type": kind, "name": name, **key}
        if row["actions"] not in (["delete"], ["forget"]):
            planned.append({**common, "values": row["values"], "sensitive_values": row.get("sensitive", {})})
        after = {"after": row["values"], "after_unknown": row["unknown"]}
        change = {"actions": row["actions"], "before": row["before"], **after}
        changes.append({**common, "change": change})
        body: dict[str, Any] = {"mode": mode, "type": kind, "name": name, "expressions": row["expressions"]}
        body["address"] = f"{'data.' if mode == 'data' else ''}{kind}.{name}"
        body.update({part: row[part] for part in ("for_each_expression", "count_expression") if part in row})
        if row["actions"] != ["delete"]:
            declared[body["address"]] = body
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": list(declared.values())}},
        "complete": True,
        **top,
    }


def read(value: Any) -> Document:
    """The document of a plan."""
    data = value if isinstance(value, bytes) else json.dumps(value, indent=1).encode()
    (document,) = READER.read(Source("plan.json", data), Parameters())
    return document


def one(document: Document, address: str) -> Resource:
    """The resource of an address."""
    (found,) = [row for row in document.resources if row.address == address]
    return found


def leads_to(value: object) -> list[str]:
    """What an unknown id is going to be: the last names."""
    assert isinstance(value, Unknown), value
    return [ref.id.rsplit("/", 1)[-1] for ref in value.refers_to]


def everything(document: Document) -> list[Unknown]:
    """Every unknown of every body, so that all lazy parts have run."""
    found: list[Unknown] = []
    for row in document.resources:
        row.get("properties")
        row.place("properties", "x")
        assert isinstance(row.body, dict)
        found += unknowns(row.body)
    return found
