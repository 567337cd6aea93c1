"""What reports say of the rules that their findings name."""

from __future__ import annotations

from collections.abc import Iterable

from aks_egress.findings.report import Finding
from aks_egress.records import record


@record(frozen=True, slots=True)
class RuleText:
    """One rule: its code, slug, severity, one-line title and page."""

    code: str
    name: str
    severity: str
    title: str
    page: str


def rule_texts(findings: Iterable[Finding]) -> list[RuleText]:
    """The rules that some findings name, by code; one that is not registered is described by its finding."""
    from aks_egress.checks.registry import RULES

    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
    texts = []
    for code, finding in sorted(first.items()):
        rule = RULES.get(code)
        if rule is None:
            title = finding.name.replace("-", " ")
            texts.append(
                RuleText(code, finding.name, str(finding.severity), title, f"`aks-egress explain {code}`")
            )
        else:
            texts.append(RuleText(code, rule.name, str(rule.severity), rule.title, rule.page))
    return texts
