"""Reports to spell: a rich one as people meet it, and one whose every name is hostile.

Their rule codes are none that is registered, so that no rule page is part of a golden file.
"""

from __future__ import annotations

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import (
    Cluster,
    Destination,
    Finding,
    Flow,
    Hop,
    Input,
    Location,
    Problem,
    Report,
    Severity,
    Source,
    Tool,
    Tunnel,
)
from aks_egress.records import replace

#: what a name may hold that acts on a terminal, a CI log, XML, HTML, Markdown or a URI
HOSTILE = (
    "n\x1b[31m\x07<script>alert('x')</script>&\"]]>::error::x%0A\r\n##vso[x]|`**b**`@here"
    "[l](https://evil.example/)\u202eevil\u2028\x85\ud800</details>../\\a b#?:,é-->"
)

TOOL = Tool(
    version="0.1.0",
    catalogue_date="2026-06-18",
    catalogue_digest="0123456789abcdef",
    tags_source="file",
    tags_change_number=398,
)

_DENY = Hop(
    hop="subnet-nsg",
    resource="nsg-nodes",
    resource_id="/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg-nodes",
    rule="deny-internet",
    decision="deny",
    reason="priority 400 denies any protocol to `Internet`",
    location=Location("spoke/main.json", 41),
)
_ALLOW = replace(
    _DENY,
    rule="allow-azure",
    decision="allow",
    reason="priority 200 allows TCP 443 to `AzureCloud.westeurope`",
    location=Location("spoke/main.json", 30),
)
_ROUTE = Hop(
    hop="route",
    resource="rt-spoke",
    rule="default",
    decision="forward",
    reason="0.0.0.0/0 leads to 10.0.0.4",
    location=Location("spoke/main.json", 88),
    packets="TCP 443",
)
_UNKNOWN = Hop(
    hop="appliance",
    resource="10.0.0.4",
    rule="",
    decision="unknown",
    reason="nobody described what 10.0.0.4 lets through",
)


def flow(requirement: str, verdict: Verdict, **members: object) -> Flow:
    """A flow from the node subnet."""
    base = Flow(
        requirement=requirement,
        title=f"Nodes need {requirement}",
        role="core",
        necessity="required",
        source=Source(pool="system", subnet="vnet-spoke/snet-nodes", prefixes=("10.1.0.0/22",)),
        destination=Destination(kind="fqdn", value=f"{requirement}.example.com", protocol="TCP", ports="443"),
        verdict=verdict,
        path=(_ALLOW, _ROUTE),
    )
    return replace(base, **members)  # type: ignore[arg-type]


_LOST: dict[str, str | int] = {
    "source": "10.1.0.4",
    "destination": "20.50.2.17",
    "protocol": "UDP",
    "port": 1194,
}

TUNNEL_FINDING = Finding(
    rule="EGR191",
    name="tunnel-blocked",
    severity=Severity.ERROR,
    cluster="aks-spoke",
    requirements=("tunnel-udp",),
    resource="nsg-nodes",
    resource_id=_DENY.resource_id,
    location=Location("spoke/main.json", 41),
    message="UDP 1194 to `AzureCloud.westeurope` from `vnet-spoke/snet-nodes` is blocked: `nsg-nodes`: priority 400 denies any protocol to `Internet`",
    breaks=("kubectl logs", "kubectl exec", "webhooks"),
    fix="allow UDP 1194 to `AzureCloud.westeurope` in `nsg-nodes`, with a priority below 400",
    help="aks-egress explain EGR191",
    deciders=(_DENY, _ROUTE),
    counterexample=_LOST,
    key=("subnet-nsg/nsg-nodes/deny-internet",),
)
WARNING = replace(
    TUNNEL_FINDING,
    rule="EGR291",
    name="endpoint-undecided",
    severity=Severity.WARNING,
    requirements=("mcr",),
    resource="10.0.0.4",
    resource_id="",
    message="whether TCP 443 to `mcr.example.com` gets through is not decided: nobody described what 10.0.0.4 lets through",
    breaks=("image pulls",),
    fix="name the firewall's definition, or declare it as an appliance",
    deciders=(_UNKNOWN,),
    counterexample=None,
    location=Location("-"),
    key=("appliance/10.0.0.4",),
)
NOTE = replace(
    WARNING,
    rule="EGR591",
    name="security-rule-dead",
    severity=Severity.NOTE,
    cluster="",
    requirements=(),
    resource="nsg-nodes",
    message="the rule `allow-dns` never decides",
    breaks=(),
    fix="",
    deciders=(),
    location=Location("hub/net work.json", 7),
    key=("allow-dns",),
)
ACCEPTED = replace(
    NOTE,
    rule="EGR592",
    name="duplicate-priority",
    severity=Severity.ERROR,
    cluster="aks-spoke",
    suppressed_by="the portal shows both, until 2027-01-31 (aks-egress.toml:3)",
    key=("p",),
)


def rich() -> Report:
    """A report with every verdict, severity and kind of place."""
    flows = (
        flow(
            "tunnel-udp",
            Verdict.BLOCKED,
            role="tunnel",
            destination=Destination(
                kind="service-tag", value="AzureCloud.westeurope", protocol="UDP", ports="1194"
            ),
            path=(_DENY, _ROUTE),
            reason="a security rule denies it",
            counterexample=_LOST,
            breaks=("kubectl logs",),
        ),
        flow(
            "mcr",
            Verdict.UNKNOWN,
            path=(_ALLOW, _ROUTE, _UNKNOWN),
            reason="nobody described what 10.0.0.4 lets through",
            settle="name the firewall's definition, or declare it as an appliance",
        ),
        flow("arm", Verdict.OPEN, assumptions=("the appliance 10.0.0.4 is declared in the configuration",)),
        flow(
            "ntp",
            Verdict.PARTIAL,
            necessity="recommended",
            reason="one pool is shut off",
            doubts=("U5: which routes win is under-documented",),
        ),
        flow(
            "dns",
            Verdict.OPEN,
            role="platform",
            destination=Destination(kind="platform", value="168.63.129.16", protocol="ANY", ports="*"),
        ),
        flow("old", Verdict.UNKNOWN, necessity="legacy", reason="its condition is not known"),
    )
    cluster = Cluster(
        id="/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks-spoke",
        name="aks-spoke",
        location="westeurope",
        cloud="public",
        outbound_type="userDefinedRouting",
        api_access="public",
        tunnel=Tunnel(mode="aks-link", evidence="chosen with `--tunnel aks-link`", verdict=Verdict.BLOCKED),
        verdict=Verdict.BLOCKED,
        flows=flows,
        facts=(("outbound type", "userDefinedRouting", "properties.networkProfile"),),
        place=Location("spoke/main.json", 120),
    )
    sound = replace(
        cluster,
        id="sound",
        name="aks-sound",
        verdict=Verdict.OPEN,
        flows=(flow("arm", Verdict.OPEN),),
        api_access="vnet_integration",
        tunnel=Tunnel(mode="none", evidence="API server VNet integration", verdict=Verdict.OPEN),
        place=None,
    )
    return Report(
        tool=TOOL,
        inputs=(
            Input(path="hub/net work.json", kind="arm-template", role="context", resources=7),
            Input(
                path="spoke/main.json",
                kind="arm-template",
                role="subject",
                resources=12,
                problems=(
                    Problem(message="the expression cannot be evaluated", line=9, code="unknown-value"),
                ),
            ),
        ),
        clusters=(cluster, sound),
        findings=(TUNNEL_FINDING, WARNING, NOTE),
        suppressed=(ACCEPTED,),
        notes=("the suppression of EGR7 (aks-egress.toml:9) covers nothing: take it out",),
    )


def empty() -> Report:
    """A report on nothing."""
    return Report(tool=TOOL, inputs=(), clusters=(), findings=())


def broken() -> Report:
    """A report on an input that could not be read."""
    problem = Problem(message="a comma is expected", line=3, code="unreadable-input", malformed=True)
    return replace(
        empty(),
        inputs=(
            Input(path="cut.json", kind="terraform-plan", role="subject", resources=0, problems=(problem,)),
        ),
    )


def hostile() -> Report:
    """The rich report with every text from an input replaced by the hostile one."""
    hop = replace(
        _DENY,
        resource=HOSTILE,
        rule=HOSTILE,
        reason=HOSTILE,
        resource_id=HOSTILE,
        location=Location(HOSTILE, 3),
        packets=HOSTILE,
    )
    base = rich()
    flows = tuple(
        replace(
            one,
            title=HOSTILE,
            reason=HOSTILE,
            settle=HOSTILE,
            path=(hop,),
            breaks=(HOSTILE,),
            doubts=(HOSTILE,),
            assumptions=(HOSTILE,),
            source=Source(pool=HOSTILE, subnet=HOSTILE, prefixes=(HOSTILE,)),
            destination=replace(one.destination, value=HOSTILE),
        )
        for one in base.clusters[0].flows
    )
    cluster = replace(
        base.clusters[0],
        id=HOSTILE,
        name=HOSTILE,
        location=HOSTILE,
        outbound_type=HOSTILE,
        flows=flows,
        place=Location(HOSTILE, 1),
        tunnel=replace(base.clusters[0].tunnel, evidence=HOSTILE),
        facts=((HOSTILE, HOSTILE, HOSTILE),),
    )
    findings = tuple(
        replace(
            one,
            cluster=HOSTILE if one.cluster else "",
            resource=HOSTILE,
            resource_id=HOSTILE,
            location=Location(HOSTILE, 3),
            message=HOSTILE,
            breaks=(HOSTILE, f"kubectl {HOSTILE}"),
            fix=HOSTILE,
            deciders=(hop,),
            counterexample={"source": HOSTILE, "destination": HOSTILE, "protocol": "TCP", "port": 1},
        )
        for one in base.findings
    )
    problem = Problem(message=HOSTILE, line=1, code="x", path=HOSTILE, malformed=True)
    return replace(
        base,
        clusters=(cluster,),
        findings=findings,
        suppressed=tuple(replace(one, suppressed_by=HOSTILE) for one in findings[:1]),
        notes=(HOSTILE,),
        inputs=(Input(path=HOSTILE, kind="arm-template", role="subject", resources=1, problems=(problem,)),),
    )


REPORTS = {"rich": rich, "empty": empty, "broken": broken, "hostile": hostile}
