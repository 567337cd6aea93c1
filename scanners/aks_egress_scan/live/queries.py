"""What is asked of Azure Resource Graph: few queries, each over many subscriptions and types.

Table and type names: learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources.
"""

from __future__ import annotations

from collections.abc import Sequence

_NETWORK = "microsoft.network"

#: types that are taken whole
WHOLE = (
    f"{_NETWORK}/applicationsecuritygroups",
    f"{_NETWORK}/azurefirewalls",
    f"{_NETWORK}/firewallpolicies",
    f"{_NETWORK}/ipgroups",
    f"{_NETWORK}/loadbalancers",
    f"{_NETWORK}/natgateways",
    f"{_NETWORK}/networksecuritygroups",
    f"{_NETWORK}/publicipprefixes",
    f"{_NETWORK}/routetables",
    f"{_NETWORK}/virtualhubs",
    f"{_NETWORK}/virtualnetworkgateways",
    f"{_NETWORK}/virtualnetworks",
)
#: type -> which of its resources matter here
SOME = {
    "microsoft.compute/virtualmachinescalesets": "isnotempty(tags['aks-managed-poolName']) or isnotempty(tags['poolName'])",
    f"{_NETWORK}/networkinterfaces": "properties.enableIPForwarding == true or properties.virtualMachine.id contains '/virtualMachines/aks-'",
    f"{_NETWORK}/publicipaddresses": "isnotnull(properties.natGateway) or properties.ipConfiguration.id contains '/azureFirewalls/' or properties.ipConfiguration.id contains '/loadBalancers/kubernetes'",
    f"{_NETWORK}/privateendpoints": "name =~ 'kube-apiserver' or properties.privateLinkServiceConnections contains '/managedClusters/' or properties.manualPrivateLinkServiceConnections contains '/managedClusters/'",
    f"{_NETWORK}/privatednszones": "name contains 'azmk8s.io' or name contains 'azk8s' or name contains 'containerservice.azure.us'",
    f"{_NETWORK}/privatednszones/virtualnetworklinks": "id contains 'azmk8s.io' or id contains 'azk8s' or id contains 'containerservice.azure.us'",
}
SUBSCRIPTIONS = "microsoft.resources/subscriptions"
CLUSTERS = "microsoft.containerservice/managedclusters"
RULE_GROUPS = f"{_NETWORK}/firewallpolicies/rulecollectiongroups"
#: an extension of a virtual network over which admin rules are in effect
IN_EFFECT = f"{_NETWORK}/effectivesecurityadminrules"
EXTENSIONS = (
    "microsoft.kubernetesconfiguration/extensions",
    "microsoft.kubernetesconfiguration/fluxconfigurations",
)
_COLUMNS = "project id, name, type, location, sku, kind, plan, tags, properties | order by id asc"


def clusters(groups: Sequence[str] = (), names: Sequence[str] = ()) -> str:
    """The clusters, those of some resource groups or names."""
    wanted = [f"type =~ {_quoted(CLUSTERS)}"]
    if groups:
        wanted.append(f"resourceGroup in~ ({_listed(groups)})")
    if names:
        wanted.append(f"name in~ ({_listed(names)})")
    return _query("resources", " and ".join(wanted))


def subscriptions() -> str:
    """Those of the named subscriptions that may be read."""
    return _query("resourcecontainers", f"type =~ {_quoted(SUBSCRIPTIONS)}")


def networks() -> str:
    """Everything that decides over packets and is a resource of its own."""
    some = [f"(type =~ {_quoted(kind)} and ({which}))" for kind, which in SOME.items()]
    return _query("resources", " or ".join([f"type in~ ({_listed(WHOLE)})", *some]))


def rules() -> str:
    """The rule collection groups of firewall policies, and the networks over which admin rules are in effect."""
    configured = "effectiveSecurityAdminConfigurations"
    any_ = " or ".join(
        f"array_length(properties.{name}) > 0"
        for name in (configured, configured[0].upper() + configured[1:])
    )
    return _query(
        "networkresources",
        f"type =~ {_quoted(RULE_GROUPS)} or (type =~ {_quoted(IN_EFFECT)} and ({any_}))",
    )


def extensions() -> str:
    """Extensions and Flux configurations of clusters."""
    return _query(
        "kubernetesconfigurationresources",
        f"type in~ ({_listed(EXTENSIONS)}) and id contains '/managedClusters/'",
    )


def _query(table: str, which: str) -> str:
    return f"{table} | where {which} | {_COLUMNS}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
