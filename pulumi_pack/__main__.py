"""The policy pack, started by Pulumi: `pulumi preview --policy-pack pulumi_pack`."""

from aks_egress_pulumi.serving import serve

serve()
