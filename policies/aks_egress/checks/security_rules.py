"""Network security groups and admin rules: what Azure refuses, what has no effect, what holds by accident."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.arm.resources import Resource
from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.scope import every_group, groups, node_subnets, tables
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import EVERYWHERE, IMDS, PLATFORM_VIP
from aks_egress.packets.names import Match
from aks_egress.packets.tags import TOPOLOGY_TAGS, canonical, region_of, relation, spelling
from aks_egress.topology.security import OUTBOUND, SecurityRule
from aks_egress.values import Unknown

MALFORMED = rule("EGR501", "security-rule-malformed", Severity.ERROR, "Azure refuses a security rule")
MISSPELT = rule(
    "EGR502",
    "service-tag-misspelt",
    Severity.WARNING,
    "A service tag that Azure does not publish by that name",
)
EXPANSION = rule(
    "EGR503",
    "allowed-only-by-tag-expansion",
    Severity.WARNING,
    "Open only because the tag VirtualNetwork swallows user routes",
)
DEAD = rule("EGR504", "security-rule-dead", Severity.NOTE, "A security rule that never decides")
DUPLICATE = rule("EGR505", "duplicate-priority", Severity.ERROR, "Two security rules with one priority")
NO_EFFECT = rule(
    "EGR507",
    "platform-address-deny-without-effect",
    Severity.WARNING,
    "A Deny of a platform address has no effect",
)
OTHER_REGION = rule(
    "EGR509", "region-tag-of-another-region", Severity.WARNING, "An Allow for another region's service tag"
)
TAG_ROUTE = rule(
    "EGR510",
    "tag-route-behind-default-rules",
    Severity.WARNING,
    "A service-tag route that only default rules allow",
)

MOST_RULES = 400
"""Groups with more rules are not searched for rules that never decide."""


@check(MALFORMED, MISSPELT, DUPLICATE)
def refused(context: Context) -> Iterator[Finding]:
    """Rules that a deployment would be refused for, in the groups that clusters' traffic passes."""
    for group, cluster in every_group(context):
        seen: dict[tuple[str, int], SecurityRule] = {}
        for one in context.topology.rules(group).rules:
            for problem in one.problems:
                yield context.finding(
                    MALFORMED,
                    f"rule `{one.name}` of `{group.label}`: {problem}",
                    resource=group,
                    origin=one.origin,
                    cluster=cluster,
                    breaks=("the deployment of the security group",),
                    fix="mend the rule; until then an Allow is taken to allow nothing and a Deny to deny what it may mean",
                    key=(one.name, problem),
                )
            for warning in (*one.warnings, *_unpublished(context, one)):
                yield context.finding(
                    MISSPELT,
                    f"rule `{one.name}` of `{group.label}`: {warning}",
                    resource=group,
                    origin=one.origin,
                    cluster=cluster,
                    fix="write the tag as `aks-egress tags show` lists it",
                    key=(one.name, warning),
                )
            if one.priority is None or one.direction is None or one.uncertain is not None:
                continue
            other = seen.setdefault((one.direction, one.priority), one)
            if other is not one:
                yield context.finding(
                    DUPLICATE,
                    f"rules `{other.name}` and `{one.name}` of `{group.label}` both have {one.direction} priority {one.priority}; Azure refuses the second",
                    resource=group,
                    origin=one.origin,
                    cluster=cluster,
                    breaks=("the deployment of the security group (SecurityRuleConflict)",),
                    fix="give one of them another priority",
                    key=(other.name, one.name),
                )


def _unpublished(context: Context, one: SecurityRule) -> Iterator[str]:
    """Tags that the service-tag data at hand does not have."""
    tags = context.topology.tags
    for tag in dict.fromkeys((*one.source.tags, *one.destination.tags)):
        if (
            tags
            and canonical(tag) not in TOPOLOGY_TAGS
            and tags.prefixes(tag) is None
            and not spelling(tag)[1]
        ):
            yield f"the service-tag data ({tags.source}, change {tags.change_number}) has no tag `{tag}`"


@check(EXPANSION)
def by_expansion(context: Context) -> Iterator[Finding]:
    """Flows that are open only through prefixes that user routes add to VirtualNetwork (N28, U1)."""
    for cluster in context.clusters:
        resting = [
            flow for flow in cluster.flows if flow.by_expansion and flow.requirement.necessity == "required"
        ]
        if not resting:
            continue
        first = resting[0]
        group = first.start.subnet.nsg.sole
        names = ", ".join(dict.fromkeys(f"`{flow.requirement.value}`" for flow in resting[:4]))
        more = f" and {len(resting) - 4} more flows" if len(resting) > 4 else ""
        yield context.finding(
            EXPANSION,
            f"{names}{more} get through `{group.label if group else 'the security group'}` only because the user route adds its prefix to the tag "
            "VirtualNetwork: whoever changes the route shuts them",
            resource=group,
            label="" if group else first.start.subnet.label,
            cluster=cluster.name,
            requirements=(flow.requirement.id for flow in resting),
            fix="allow these destinations by rules of their own",
        )


@check(DEAD)
def never_asked(context: Context) -> Iterator[Finding]:
    """Rules of a cluster's groups whose packets earlier rules have all decided."""
    done: set[int] = set()
    for cluster in context.clusters:
        for group in groups(cluster):
            if id(group) in done:
                continue
            done.add(id(group))
            yield from _dead_rules(context, cluster, group)


def _dead_rules(context: Context, cluster: JudgedCluster, group: Resource) -> Iterator[Finding]:
    rules = context.topology.rules(group)
    if rules.gap is not None or len(rules.rules) > MOST_RULES:
        return
    for one, earlier in _covered(rules.rules):
        if earlier.access == one.access:
            continue  # the outcome is the same: redundant, not wrong
        yield context.finding(
            DEAD,
            f"rule `{one.name}` ({one.access}, priority {one.priority}) of `{group.label}` never decides: `{earlier.name}` "
            f"(priority {earlier.priority}) is asked before and covers it",
            resource=group,
            origin=one.origin,
            cluster=cluster.name,
            fix=f"move `{one.name}` before `{earlier.name}`, or delete it",
            key=(one.name,),
        )


def _covered(rules: list[SecurityRule]) -> Iterator[tuple[SecurityRule, SecurityRule]]:
    """Rules with the one earlier rule that covers each of them wholly, by what is written."""
    for i, one in enumerate(rules):
        if one.direction is None or one.priority is None or one.problems:
            continue
        for other in rules[:i]:
            if (
                other.direction == one.direction
                and other.priority is not None
                and other.priority < one.priority
                and _covers(other, one)
            ):
                yield one, other
                break


def _covers(other: SecurityRule, one: SecurityRule) -> bool:
    if other.problems or other.uncertain is not None or isinstance(other.access, Unknown):
        return False
    # ports first: they are short, and most rules are about others
    if not (
        one.port.possible <= other.port.sure
        and one.protocol.possible <= other.protocol.sure
        and one.source_port.possible <= other.source_port.sure
    ):
        return False
    for mine, theirs in ((other.source, one.source), (other.destination, one.destination)):
        if mine.groups or theirs.groups or theirs.open is not None:
            return False
        whole = mine.literal == EVERYWHERE  # `*` covers every tag
        tags = whole or all(any(relation(one, tag) is Match.YES for one in mine.tags) for tag in theirs.tags)
        if not tags or not theirs.literal <= mine.literal:
            return False
    return True


@check(NO_EFFECT)
def without_effect(context: Context) -> Iterator[Finding]:
    """Denies of 168.63.129.16 and 169.254.169.254, which only platform tags can deny (N16, U4)."""
    for group, cluster in every_group(context):
        for one in context.topology.rules(group).rules:
            named = one.destination.literal
            if (
                one.access == "deny"
                and one.direction == OUTBOUND
                and named
                and (named <= PLATFORM_VIP or named <= IMDS)
            ):
                yield context.finding(
                    NO_EFFECT,
                    f"rule `{one.name}` of `{group.label}` denies a platform address; security groups do not filter these, "
                    "only the tags AzurePlatformDNS and AzurePlatformIMDS would, and that would break the nodes",
                    resource=group,
                    origin=one.origin,
                    cluster=cluster,
                    fix="delete the rule",
                    key=(one.name,),
                )


@check(OTHER_REGION)
def wrong_region(context: Context) -> Iterator[Finding]:
    """Allows for AzureCloud of another region, where the cluster's own region is shut."""
    for cluster in context.clusters:
        region = cluster.facts.region
        shut = [
            flow
            for flow in cluster.flows
            if flow.verdict is not Verdict.OPEN
            and flow.counts
            and "AzureCloud" in "".join(flow.requirement.lies_in)
        ]
        if isinstance(region, Unknown) or not shut:
            continue
        for group in groups(cluster):
            for one in context.topology.rules(group).rules:
                for tag in (
                    one.destination.tags if one.access == "allow" and one.direction == OUTBOUND else ()
                ):
                    base, _, suffix = canonical(tag).partition(".")
                    if base == "azurecloud" and suffix and suffix != region_of(region):
                        yield context.finding(
                            OTHER_REGION,
                            f"rule `{one.name}` of `{group.label}` allows `{tag}`, and cluster `{cluster.name}` lies in {region}",
                            resource=group,
                            origin=one.origin,
                            cluster=cluster.name,
                            requirements=(flow.requirement.id for flow in shut),
                            breaks=(one_break for flow in shut for one_break in flow.requirement.breaks),
                            fix=f"allow `{shut[0].requirement.lies_in[0]}`",
                            key=(one.name,),
                        )


@check(TAG_ROUTE)
def tag_routes(context: Context) -> Iterator[Finding]:
    """Service-tag routes on subnets whose group has no rule for that tag (U3, one open report)."""
    for cluster in context.clusters:
        for subnet in node_subnets(cluster):
            group = subnet.nsg.sole
            if group is None:
                continue
            named = {
                canonical(tag) for one in context.topology.rules(group).rules for tag in one.destination.tags
            }
            for table in tables(context, subnet):
                for route in table.routes:
                    if route.tag and route.hop != "None" and canonical(route.tag) not in named:
                        yield context.finding(
                            TAG_ROUTE,
                            f"route `{route.name}` leads the service tag {route.tag} elsewhere, and `{group.label}` allows it by its default rules only; "
                            "one report says that Azure then denies it (azure-docs#94454)",
                            resource=table.resource,
                            origin=route.origin,
                            cluster=cluster.name,
                            severity=Severity.NOTE,
                            fix=f"add an outbound Allow rule for {route.tag}",
                            key=(route.name,),
                        )
