"""The cluster: system nodes and user nodes in subnets of their own, everything out through the hub."""

from plan import POD_CIDR
from pulumi_azure_native import containerservice, managedidentity
from spoke import Spoke


def make_cluster(location: str, spoke: Spoke) -> containerservice.ManagedCluster:
    """AKS with its system pool, and its user pool apart."""
    identity = managedidentity.UserAssignedIdentity(
        "id-aks-shop",
        resource_name_="id-aks-shop",
        resource_group_name=spoke.group.name,
        location=location,
    )
    cluster = containerservice.ManagedCluster(
        "aks-shop",
        resource_name_="aks-shop",
        resource_group_name=spoke.group.name,
        location=location,
        dns_prefix="shop",
        identity={"type": "UserAssigned", "user_assigned_identities": [identity.id]},
        agent_pool_profiles=[
            {
                "name": "system",
                "mode": "System",
                "count": 3,
                "vm_size": "Standard_D4ds_v5",
                "os_type": "Linux",
                "node_taints": ["CriticalAddonsOnly=true:NoSchedule"],
                "vnet_subnet_id": spoke.subnets["system"].id,
            }
        ],
        network_profile={
            "network_plugin": "azure",
            "network_plugin_mode": "overlay",
            "outbound_type": "userDefinedRouting",
            "pod_cidr": POD_CIDR,
            "service_cidr": "172.16.0.0/16",
            "dns_service_ip": "172.16.0.10",
            "load_balancer_sku": "standard",
        },
    )
    containerservice.AgentPool(
        "user",
        agent_pool_name="user",
        resource_group_name=spoke.group.name,
        resource_name_=cluster.name,
        mode="User",
        count=3,
        vm_size="Standard_D8ds_v5",
        os_type="Linux",
        vnet_subnet_id=spoke.subnets["user"].id,
    )
    return cluster
