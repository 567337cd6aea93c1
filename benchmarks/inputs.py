"""Inputs for measuring, made to order: large Terraform plans in the form that `terraform show -json` prints."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PROVIDER = "hashicorp/azurerm"


def nsg_plan(groups: int = 1000, rules: int = 20, indent: int | None = None) -> bytes:
    """A plan with one AKS cluster, and one subnet for each of `groups` network security groups of `rules` rules.

    Every group is new, so ids come only with the apply and associations join through references; subnets lie
    in networks of 200.  1,000 groups of 20 rules make 25 to 40 MB.
    """
    rows = [*_networks(groups), *_groups(groups, rules), *_cluster()]
    planned = [{**_head(row), "values": row["values"], "sensitive_values": row["hidden"]} for row in rows]
    changes = [
        {
            **_head(row),
            "change": {
                "actions": ["create"],
                "before": None,
                "after": row["values"],
                "after_unknown": row["unknown"],
                "before_sensitive": False,
                "after_sensitive": row["hidden"],
            },
        }
        for row in rows
    ]
    value = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {
            "provider_config": {"azurerm": {"name": "azurerm", "full_name": _PROVIDER}},
            "root_module": {"resources": _declared(rows)},
        },
        "timestamp": "2026-01-01T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    return json.dumps(value, indent=indent).encode()


def _row(
    kind: str,
    name: str,
    index: int | None,
    values: dict[str, Any],
    unknown: Any,
    written: Any,
    hidden: Any = None,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "index": index,
        "values": values,
        "unknown": unknown,
        "written": written,
        "hidden": {} if hidden is None else hidden,
    }


def _head(row: dict[str, Any]) -> dict[str, Any]:
    spelled = row["name"] if row["index"] is None else f"{row['name']}[{row['index']}]"
    key = {} if row["index"] is None else {"index": row["index"]}
    return {
        "address": f"{row['kind']}.{spelled}",
        "mode": "managed",
        "type": row["kind"],
        "name": row["name"],
        **key,
        "provider_name": _PROVIDER,
        "schema_version": 0,
    }


def _declared(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        address = f"{row['kind']}.{row['name']}"
        body = {
            "address": address,
            "mode": "managed",
            "type": row["kind"],
            "name": row["name"],
            "provider_config_key": "azurerm",
            "expressions": row["written"],
            "schema_version": 0,
        }
        if row["index"] is not None:
            body["count_expression"] = {"references": ["var.groups"]}
        found.setdefault(address, body)
    return list(found.values())


def _networks(groups: int) -> Iterator[dict[str, Any]]:
    for i in range((groups + 199) // 200):
        values = {
            "name": f"vnet-{i}",
            "location": "westeurope",
            "resource_group_name": "rg-net",
            "address_space": [f"10.{i}.0.0/16"],
            "dns_servers": [],
            "bgp_community": None,
            "ddos_protection_plan": [],
            "encryption": [],
            "tags": None,
        }
        yield _row(
            "azurerm_virtual_network", "net", i, values, {"id": True, "guid": True, "subnet": True}, {}
        )
    for i in range(groups):
        values = {
            "name": f"snet-{i}",
            "resource_group_name": "rg-net",
            "virtual_network_name": f"vnet-{i // 200}",
            "address_prefixes": [f"10.{i // 200}.{i % 200}.0/24"],
            "delegation": [],
            "default_outbound_access_enabled": True,
            "private_endpoint_network_policies": "Disabled",
            "service_endpoints": None,
            "timeouts": None,
        }
        yield _row("azurerm_subnet", "net", i, values, {"id": True, "address_prefixes": [False]}, {})


def _groups(groups: int, rules: int) -> Iterator[dict[str, Any]]:
    blank = {
        name: []
        for name in (
            "destination_address_prefixes",
            "destination_application_security_group_ids",
            "destination_port_ranges",
            "source_address_prefixes",
            "source_application_security_group_ids",
            "source_port_ranges",
        )
    }
    joined = {
        "subnet_id": {"references": ["azurerm_subnet.net", "count.index"]},
        "network_security_group_id": {"references": ["azurerm_network_security_group.net", "count.index"]},
    }
    for i in range(groups):
        values = {
            "name": f"nsg-{i}",
            "location": "westeurope",
            "resource_group_name": "rg-net",
            "security_rule": [_rule(i, j, blank) for j in range(rules)],
            "tags": {"owner": "network", "cost-center": str(i)},
            "timeouts": None,
        }
        unknown = {"id": True, "security_rule": [dict(blank) for _ in range(rules)], "tags": {}}
        hidden = {"security_rule": [dict(blank) for _ in range(rules)], "tags": {}}
        yield _row("azurerm_network_security_group", "net", i, values, unknown, {}, hidden)
        unknown = {"id": True, "subnet_id": True, "network_security_group_id": True}
        yield _row(
            "azurerm_subnet_network_security_group_association", "net", i, {"timeouts": None}, unknown, joined
        )


def _rule(group: int, number: int, blank: dict[str, Any]) -> dict[str, Any]:
    last = number % 20 == 19
    return {
        "access": "Deny" if last else "Allow",
        "description": "everything else"
        if last
        else f"what service {number} of team {group} asked for in change {group * number}",
        "destination_address_prefix": "Internet" if last else "",
        "destination_port_range": "*" if last else "",
        "direction": "Outbound",
        "name": f"rule-{number:03}",
        "priority": 100 + number,
        "protocol": "*" if last else ("Tcp", "Udp")[number % 2],
        "source_address_prefix": "*",
        "source_port_range": "*",
        **blank,
        **(
            {}
            if last
            else {"destination_address_prefixes": [f"20.{(group + k) % 200}.{number}.0/24" for k in range(3)]}
        ),
        **(
            {}
            if last
            else {"destination_port_ranges": ["443", f"{8000 + number}", f"{9000 + number}-{9100 + number}"]}
        ),
    }


def _cluster() -> Iterator[dict[str, Any]]:
    values = {
        "name": "aks",
        "location": "westeurope",
        "resource_group_name": "rg-net",
        "dns_prefix": "aks",
        "private_cluster_enabled": False,
        "default_node_pool": [{"name": "system", "vm_size": "Standard_D4s_v5", "node_count": 3}],
        "network_profile": [{"network_plugin": "azure", "outbound_type": "loadBalancer"}],
    }
    unknown = {"id": True, "fqdn": True, "default_node_pool": [{"vnet_subnet_id": True}]}
    written = {
        "default_node_pool": [
            {
                "vnet_subnet_id": {
                    "references": ["azurerm_subnet.net[0].id", "azurerm_subnet.net[0]", "azurerm_subnet.net"]
                }
            }
        ]
    }
    yield _row("azurerm_kubernetes_cluster", "aks", None, values, unknown, written)


def main() -> None:
    """Write a plan to a file or to standard output."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--rules", type=int, default=20)
    parser.add_argument("--indent", type=int, default=None)
    parser.add_argument("output", nargs="?", default="-")
    given = parser.parse_args()
    data = nsg_plan(given.groups, given.rules, given.indent)
    if given.output == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(given.output).write_bytes(data)


if __name__ == "__main__":
    main()
