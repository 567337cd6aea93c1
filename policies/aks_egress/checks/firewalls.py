"""Azure Firewalls behind a cluster's routes: names that cannot work, shadowed rules, wrong SKUs, wrong state."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.arm.ids import parse_id
from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.scope import every_firewall
from aks_egress.evaluation.firewall import translates, usable_tag
from aks_egress.evaluation.flows import JudgedFlow
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.advice import blockers
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.names import Match, covers, well_formed
from aks_egress.packets.tags import spelling
from aks_egress.topology.firewalls import Firewall, FirewallRule
from aks_egress.topology.reading import addresses, tokens
from aks_egress.values import Unknown, at, get, text

SHADOWED = rule(
    "EGR401",
    "application-rules-shadowed",
    Severity.ERROR,
    "A network rule decides before application rules are asked",
)
INSPECTED = rule(
    "EGR402", "tls-inspection-on-tunnel", Severity.ERROR, "TLS inspection on the way to the API server"
)
NO_PROXY = rule(
    "EGR403",
    "fqdn-network-rule-without-dns-proxy",
    Severity.ERROR,
    "Host names in network rules without DNS proxy",
)
STOPPED = rule("EGR404", "firewall-stopped", Severity.ERROR, "The firewall is stopped")
NO_SNAT = rule("EGR405", "snat-never", Severity.ERROR, "The firewall never translates addresses")
MISFIT = rule(
    "EGR406", "sku-misfit", Severity.ERROR, "A rule or setting that the firewall's SKU does not have"
)
WILDCARD = rule("EGR407", "wildcard-unsupported", Severity.ERROR, "A wildcard where the firewall takes none")
EMPTY_GROUP = rule("EGR408", "empty-ip-group", Severity.WARNING, "A rule with an empty IP group is skipped")
MISNAMED = rule(
    "EGR413", "firewall-subnet-misnamed", Severity.ERROR, "A firewall in a subnet that Azure does not take"
)
BOTH = rule(
    "EGR409", "both-policy-and-classic-rules", Severity.ERROR, "A firewall with a policy and rules of its own"
)
TIED = rule("EGR410", "tied-collections", Severity.WARNING, "Two collections of one priority disagree")

MALFORMED = rule(
    "EGR411", "firewall-rule-malformed", Severity.ERROR, "Azure refuses a firewall rule, or it covers nothing"
)

TIERS = {"basic": 0, "standard": 1, "premium": 2}


@check(STOPPED, NO_SNAT, BOTH)
def state(context: Context) -> Iterator[Finding]:
    """Settings of the firewall itself."""
    for firewall, cluster in every_firewall(context):
        if firewall.stopped:
            yield context.finding(
                STOPPED,
                f"firewall `{firewall.label}` has no IP configuration: it is stopped, and everything routed to it is lost",
                resource=firewall.resource,
                cluster=cluster,
                breaks=("every connection that leaves the nodes",),
                fix="give it its IP configuration again; its private IP may change, so compare the route tables",
            )
        if translates(firewall)[0] is Match.NO and firewall.forced_tunnelling is False:
            _, place = firewall.setting("snat", "privateRanges")
            yield context.finding(
                NO_SNAT,
                f"firewall `{firewall.label}` is set never to translate addresses (private ranges hold 0.0.0.0/0), "
                "so answers from the Internet do not find back",
                resource=firewall.resource,
                origin=place,
                cluster=cluster,
                breaks=("everything that network rules let out to the Internet",),
                fix="list only private ranges, for example IANAPrivateRanges",
            )
        if firewall.classic_beside_policy:
            yield context.finding(
                BOTH,
                f"firewall `{firewall.label}` has a policy and rule collections of its own; Azure refuses the two together, only the policy is judged",
                resource=firewall.resource,
                cluster=cluster,
                breaks=("the deployment of the firewall",),
                fix="move the rules into the policy",
            )


@check(SHADOWED, INSPECTED)
def before_application_rules(context: Context) -> Iterator[Finding]:
    """Flows that an application rule would let out, were it asked, or were it not inspecting."""
    for cluster in context.clusters:
        seen: set[tuple[str, int]] = set()
        for flow in cluster.flows:
            for decider in blockers(flow):
                found = decider.detail
                if decider.hop != "firewall" or not isinstance(found, FirewallRule):
                    continue
                if (decider.resource, id(found)) in seen:
                    continue
                if (
                    found.stage == "application"
                    and found.terminates_tls is True
                    and flow.requirement.mutual_tls
                ):
                    seen.add((decider.resource, id(found)))
                    yield _inspected(context, cluster.name, flow, found)
                elif found.stage == "network" and _would_allow(context, flow, found):
                    seen.add((decider.resource, id(found)))
                    yield _shadowed(context, cluster.name, flow, found, decider.resource)


def _would_allow(context: Context, flow: JudgedFlow, shut: FirewallRule) -> bool:
    """Whether an application rule of the same firewall names what the network rule denies."""
    name = flow.requirement.name
    if not name or flow.verdict is Verdict.OPEN:
        return False
    return any(
        one.stage == "application"
        and one.action == "allow"
        and (
            any(covers(fqdn, name) is Match.YES for fqdn in one.fqdns.known)
            or (one.fqdn_tags.known and flow.requirement.in_fqdn_tag)
        )
        for firewall, _ in every_firewall(context)
        if shut in firewall.rules
        for one in firewall.rules
    )


def _inspected(context: Context, cluster: str, flow: JudgedFlow, found: FirewallRule) -> Finding:
    return context.finding(
        INSPECTED,
        f"application rule `{found.label}` ends TLS for {flow.requirement.value}: neither the nodes' client certificates nor the "
        "ALPN protocol of konnectivity survive that",
        resource=found.owner,
        origin=found.origin,
        cluster=cluster,
        requirements=(flow.requirement.id,),
        breaks=flow.requirement.breaks,
        fix="set terminateTLS to false for the API server's name, in a rule that is asked before",
        key=(found.label,),
    )


def _shadowed(context: Context, cluster: str, flow: JudgedFlow, found: FirewallRule, label: str) -> Finding:
    return context.finding(
        SHADOWED,
        f"network rule `{found.label}` of firewall `{label}` denies port {', '.join(found.ports.known) or '*'} before any application rule is asked, "
        f"so the application rules for {flow.requirement.value} and others never count",
        resource=found.owner,
        origin=found.origin,
        cluster=cluster,
        requirements=(flow.requirement.id,),
        breaks=flow.requirement.breaks,
        fix="narrow the network rule; Azure Firewall asks all network rules before all application rules, whatever their priority",
        key=(found.label,),
    )


@check(NO_PROXY, WILDCARD, EMPTY_GROUP)
def names_and_groups(context: Context) -> Iterator[Finding]:
    """Host names and IP groups in rules."""
    for firewall, cluster in every_firewall(context):
        for one in firewall.rules:
            if (
                one.stage == "network"
                and one.fqdns.known
                and firewall.dns_proxy is False
                and firewall.tier != "basic"
            ):
                yield _without_proxy(context, firewall, one, cluster)
            yield from _wildcards(context, one, cluster)
            yield from _empty_groups(context, one, cluster)


def _without_proxy(context: Context, firewall: Firewall, one: FirewallRule, cluster: str) -> Finding:
    return context.finding(
        NO_PROXY,
        f"network rule `{one.label}` names {_some(one.fqdns.known)}, and DNS proxy is off in firewall `{firewall.label}`; Azure refuses "
        "it, or the firewall resolves other addresses than the nodes do",
        resource=one.owner,
        origin=one.origin,
        cluster=cluster,
        fix="turn DNS proxy on and point the network's DNS servers at the firewall, or use an application rule",
        key=(one.label,),
    )


def _wildcards(context: Context, one: FirewallRule, cluster: str) -> Iterator[Finding]:
    network = one.stage == "network"
    where = "network rules take no wildcards" if network else "a `*` works at the far left only"
    mended = (
        "use an application rule with `*.` in front"
        if network
        else "put the `*` in front of the name, or list the names"
    )
    for name in one.fqdns.known:
        if not well_formed(name) or (network and name.startswith("*")):
            yield context.finding(
                WILDCARD,
                f"{one.stage} rule `{one.label}` names `{name}`: {where}, so the rule covers nothing of it",
                resource=one.owner,
                origin=one.origin,
                cluster=cluster,
                fix=mended,
                key=(one.label, name),
            )


def _empty_groups(context: Context, one: FirewallRule, cluster: str) -> Iterator[Finding]:
    for link in (*one.source_groups, *one.destination_groups):
        if link.sole is not None and not tokens(link.sole.prop("ipAddresses")).given:
            yield context.finding(
                EMPTY_GROUP,
                f"{one.stage} rule `{one.label}` uses IP group `{link.sole.label}`, which is empty: the firewall skips the rule",
                resource=one.owner,
                origin=one.origin,
                cluster=cluster,
                fix="fill the IP group, or take it out of the rule",
                key=(one.label, link.sole.label),
            )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names[:3]) + (" and others" if len(names) > 3 else "")


@check(MALFORMED)
def malformed(context: Context) -> Iterator[Finding]:
    """Addresses and tags that a firewall rule cannot hold (F12, 7.5)."""
    for firewall, cluster in every_firewall(context):
        for one in firewall.rules:
            for what in _refused(one):
                yield context.finding(
                    MALFORMED,
                    f"{one.stage} rule `{one.label}` of firewall `{firewall.label}`: {what}",
                    resource=one.owner,
                    origin=one.origin,
                    cluster=cluster,
                    breaks=("the deployment of the rule, or what it was meant to allow",),
                    fix="mend the rule",
                    key=(one.label, what),
                )


def _refused(one: FirewallRule) -> Iterator[str]:
    for end, given in (("source", one.source), ("destination", one.destination)):
        _, names, complaints = addresses(given.known)
        yield from (f"{end}: {complaint}" for complaint in complaints)
        for name in names:
            if end == "source":
                yield f"source: `{name}` is no address, and a source takes no service tags"
            elif not usable_tag(name):
                why = spelling(name)[1] or f"`{name}` is no service tag that a firewall takes"
                yield f"destination: {why}"


@check(MISFIT)
def skus(context: Context) -> Iterator[Finding]:
    """What the firewall's tier does not have (F21)."""
    for firewall, cluster in every_firewall(context):
        tier = firewall.tier
        if isinstance(tier, Unknown):
            continue
        for policy in firewall.policies[:1]:
            own = text(get(policy.prop("sku"), "tier"))
            if isinstance(own, str) and TIERS.get(own.casefold(), 0) > TIERS.get(tier, 2):
                yield _misfit(
                    context,
                    firewall,
                    cluster,
                    f"policy `{policy.label}` is {own}, firewall `{firewall.label}` {tier}",
                )
        for one in firewall.rules:
            missing = _missing(one, tier)
            if missing:
                yield _misfit(
                    context,
                    firewall,
                    cluster,
                    f"{one.stage} rule `{one.label}` needs {missing}, firewall `{firewall.label}` is {tier}",
                    one,
                )


def _missing(one: FirewallRule, tier: str) -> str:
    if tier == "basic" and one.stage == "network" and one.fqdns.known:
        return "names in network rules (Standard)"
    if tier == "basic" and one.categories.given:
        return "web categories (Standard)"
    if tier != "premium" and (one.urls.known or one.terminates_tls is True):
        return "TLS inspection or URLs (Premium)"
    return ""


def _misfit(
    context: Context, firewall: Firewall, cluster: str, what: str, one: FirewallRule | None = None
) -> Finding:
    return context.finding(
        MISFIT,
        f"{what}; Azure refuses that",
        resource=one.owner if one else firewall.resource,
        origin=one.origin if one else None,
        cluster=cluster,
        breaks=("the deployment of the firewall or its policy",),
        fix="raise the firewall's tier, or take the feature out",
        key=(one.label if one else "policy",),
    )


@check(TIED)
def ties(context: Context) -> Iterator[Finding]:
    """Collections of one stage and one place in the order with different actions (U10)."""
    for firewall, cluster in every_firewall(context):
        seen: dict[tuple[object, ...], FirewallRule] = {}
        told: set[tuple[str, str]] = set()
        for one in firewall.rules:
            other = seen.setdefault((one.stage, one.order), one)
            pair = (other.collection, one.collection)
            if (
                one.order is None
                or other.collection == one.collection
                or other.action == one.action
                or pair in told
            ):
                continue
            told.add(pair)
            yield context.finding(
                TIED,
                f"{one.stage} rule collections `{other.collection}` and `{one.collection}` have one priority and different actions; "
                "which is asked first is not defined",
                resource=one.owner,
                origin=one.origin,
                cluster=cluster,
                fix="give the collections different priorities",
                key=pair,
            )


@check(MISNAMED)
def subnets(context: Context) -> Iterator[Finding]:
    """Azure places a firewall only into a subnet that is called AzureFirewallSubnet (firewall FAQ)."""
    graph = context.topology.graph
    for firewall, cluster in every_firewall(context):
        rows = firewall.ip_configurations
        for row in rows if isinstance(rows, list) and not firewall.in_hub else ():
            value = at(row, "properties", "subnet")
            link = graph.link(value, graph.home(firewall.resource))
            given = link.sole.id if link.sole is not None else parse_id(get(value, "id"))
            if given is None or "{" in given.name or given.name.casefold() == "azurefirewallsubnet":
                continue
            yield context.finding(
                MISNAMED,
                f"firewall `{firewall.label}` is placed into subnet `{given.name}`; Azure takes only a subnet that is called AzureFirewallSubnet",
                resource=firewall.resource,
                cluster=cluster,
                breaks=(
                    "the deployment of the firewall, and with it every connection that leaves the nodes",
                ),
                fix="call the subnet AzureFirewallSubnet",
                key=(given.name,),
            )
