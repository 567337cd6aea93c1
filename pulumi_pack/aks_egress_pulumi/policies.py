"""The policies that people can set one by one, and what each of them reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from aks_egress.findings.report import Severity as Weight
from aks_egress.records import record
from aks_egress_pulumi.configuration import SHARED, whole
from aks_egress_pulumi.judging import Judgement, Session, logged
from aks_egress_pulumi.mending import mended
from aks_egress_pulumi.messages import finding_message, undecided_messages
from aks_egress_scan.reporters.wording import says_undecided

PAGES = "https://learn.microsoft.com/azure/aks/outbound-rules-control-egress"
SETTINGS = "aks-settings"
UNDECIDED = "aks-undecided"
INTERNAL = "aks-internal-errors"

Level = EnforcementLevel
Violation = tuple[str, str]


@record(frozen=True, slots=True, kw_only=True)
class Kind:
    """One policy about findings: which rules it is for, and how it is set when nobody sets it.

    `floor` is the least severity that it reports; `required` policies also speak where nothing was judged.
    """

    name: str
    title: str
    says: str
    rules: tuple[str, ...]
    level: Level
    severity: Severity
    floor: Weight
    steps: str
    required: bool = False


KINDS = (
    Kind(
        name="aks-tunnel",
        title="The control-plane tunnel works",
        says="kubectl logs, exec and port-forward, and webhooks, need the tunnel between the nodes and the API server.",
        rules=("EGR1",),
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        floor=Weight.ERROR,
        steps="Open what the message names, at the rule or route that it names.",
        required=True,
    ),
    Kind(
        name="aks-required-endpoints",
        title="Nodes reach what they need",
        says="Nodes need registries, sign-in, package sources, the platform's own addresses and each other.",
        rules=("EGR2", "EGR8"),
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        floor=Weight.ERROR,
        steps="Allow the endpoint in the security group or the firewall rule that the message names.",
        required=True,
    ),
    Kind(
        name="aks-routing",
        title="Routes lead somewhere",
        says="Routes of node subnets must lead to a next hop that exists and forwards.",
        rules=("EGR3",),
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        floor=Weight.WARNING,
        steps="Mend the route, the peering or the route table that the message names.",
    ),
    Kind(
        name="aks-firewall",
        title="Firewall rules do what they say",
        says="Azure Firewall asks network rules before application rules and needs a DNS proxy for names.",
        rules=("EGR4",),
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        floor=Weight.WARNING,
        steps="Mend the rule collection that the message names.",
    ),
    Kind(
        name="aks-security-groups",
        title="Security rules are sound",
        says="Security rules that Azure refuses, that never decide, or that rest on tags that age.",
        rules=("EGR5", "EGR901"),
        level=Level.ADVISORY,
        severity=Severity.LOW,
        floor=Weight.WARNING,
        steps="Mend or remove the rule that the message names.",
    ),
    Kind(
        name="aks-cluster-settings",
        title="The cluster's settings fit its network",
        says="Outbound type, authorized ranges, name resolution and proxies must fit the network.",
        rules=("EGR6", "EGR7", "EGR905"),
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        floor=Weight.WARNING,
        steps="Change the setting that the message names.",
    ),
)


def policies(session: Session) -> list[Policy]:
    """All policies of the pack, in the order in which they report."""
    found: list[Policy] = [_settings(session)]
    found += [_about(session, kind) for kind in KINDS]
    return [*found, _undecided(session), _internal(session), _mending(session)]


def _settings(session: Session) -> ResourceValidationPolicy:
    """Its configuration holds for all policies; the server tells it with every resource."""

    def learn(args: ResourceValidationArgs, report: ReportViolation) -> None:  # noqa: ARG001
        session.shared = whole(args.get_config())

    return ResourceValidationPolicy(
        SETTINGS,
        "Settings that all policies share. It reports nothing itself; disabled, it sets nothing.",
        validate=learn,
        enforcement_level=Level.ADVISORY,
        config_schema=PolicyConfigSchema(properties=dict(SHARED)),
        display_name="Shared settings",
        severity=Severity.LOW,
        tags=["aks"],
        remediation_steps="None: set what the other policies go by.",
        url=PAGES,
    )


def _about(session: Session, kind: Kind) -> StackValidationPolicy:
    floor = {
        "type": "string",
        "enum": [str(one) for one in Weight],
        "description": f"Least severity that is reported. Default: {kind.floor}.",
    }

    def violations(judgement: Judgement, own: Mapping[str, Any]) -> Iterator[Violation]:
        yield from _findings(judgement, kind, Weight(str(own.get("severity") or kind.floor)))
        if kind.required and judgement.configured.unknown == "fail":
            yield from undecided_messages(judgement, tunnel=kind.rules == ("EGR1",))

    return _stack_policy(
        session, kind.name, kind.says, violations, kind.required,
        enforcement_level=kind.level, config_schema=PolicyConfigSchema(properties={**SHARED, "severity": floor}),
        display_name=kind.title, severity=kind.severity, tags=["aks", "network"],
        remediation_steps=kind.steps, url=PAGES,
    )  # fmt: skip


def _findings(judgement: Judgement, kind: Kind, floor: Weight) -> Iterator[Violation]:
    report = judgement.report
    if report is None:
        return
    for finding in report.findings:
        if (
            finding.rule.startswith(kind.rules)
            and not says_undecided(finding)
            and finding.severity.rank <= floor.rank
        ):
            yield finding_message(report, finding), judgement.at_fault(finding)


def _undecided(session: Session) -> StackValidationPolicy:
    def violations(judgement: Judgement, own: Mapping[str, Any]) -> Iterator[Violation]:  # noqa: ARG001
        if judgement.configured.unknown == "warn":
            yield from undecided_messages(judgement)

    return _stack_policy(
        session, UNDECIDED, "The definitions do not decide whether a required flow gets through.", violations, False,
        enforcement_level=Level.ADVISORY, config_schema=PolicyConfigSchema(properties=dict(SHARED)),
        display_name="Every required flow is decided", severity=Severity.MEDIUM, tags=["aks", "network"],
        remediation_steps="Give what the message says would settle it, for example the hub with `context`.", url=PAGES,
    )  # fmt: skip


def _internal(session: Session) -> StackValidationPolicy:
    def violations(judgement: Judgement, own: Mapping[str, Any]) -> Iterator[Violation]:  # noqa: ARG001
        if judgement.trouble:
            yield f"nothing was judged: {judgement.trouble}", ""

    return _stack_policy(
        session, INTERNAL, "The stack could not be judged, which is never a pass.", violations, False,
        enforcement_level=Level.MANDATORY, config_schema=PolicyConfigSchema(properties=dict(SHARED)),
        display_name="The stack could be judged", severity=Severity.HIGH, tags=["aks"],
        remediation_steps="Mend the configuration, or report the error; make this policy advisory to go on.", url=PAGES,
    )  # fmt: skip


def _mending(session: Session) -> ResourceValidationPolicy:
    """Opens the tunnel in security groups that somebody named; off until it is set to `remediate`."""
    groups = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Address prefix of the node subnet by the name of its security group, `*` for any text. Nothing is mended without.",
    }

    def remediate(args: ResourceValidationArgs) -> Any:
        own = whole(args.get_config())

        from pulumi_policy.deserialize import serialize_properties

        tunnel = str(own.get("tunnel") or session.shared.get("tunnel") or "auto")
        try:
            given = serialize_properties(args.props)
            return mended(args.urn, args.resource_type, given, own.get("securityGroups", {}), tunnel)
        except Exception as error:  # noqa: BLE001  what cannot be mended stays as it is, and is reported by the others
            logged(error)
            return None

    return ResourceValidationPolicy(
        "aks-open-tunnel",
        "Adds to a security group of nodes the one rule that lets the tunnel out, where that is proved to open it.",
        remediate=remediate,
        enforcement_level=Level.DISABLED,
        config_schema=PolicyConfigSchema(properties={**SHARED, "securityGroups": groups}),
        display_name="Open the tunnel",
        severity=Severity.LOW,
        tags=["aks", "network"],
        remediation_steps="Set it to `remediate` and name the groups in `securityGroups`.",
        url=PAGES,
    )


def _stack_policy(
    session: Session,
    name: str,
    description: str,
    violations: Callable[[Judgement, Mapping[str, Any]], Iterator[Violation]],
    required: bool,
    **more: Any,
) -> StackValidationPolicy:
    """A policy over the whole stack that reports what `violations` finds, on the resources at fault."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        own = args.get_config()
        judgement = session.judgement(own)
        if judgement.trouble and required:
            report(f"nothing was judged, so this is not known: {judgement.trouble}", None)
        for message, urn in _told(violations, judgement, own):
            report(message, urn or None)

    return StackValidationPolicy(name, description, validate=validate, **more)


def _told(
    violations: Callable[[Judgement, Mapping[str, Any]], Iterator[Violation]],
    judgement: Judgement,
    own: Mapping[str, Any],
) -> Sequence[Violation]:
    """Every violation, and one that says so where telling them fails."""
    found: list[Violation] = []
    try:
        found.extend(violations(judgement, own))
    except Exception as error:  # noqa: BLE001  an exception would end the preview
        found.append((f"not everything could be told: an internal error: {logged(error)}", ""))
    return found
