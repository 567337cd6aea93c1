"""Findings that somebody accepts: which suppression covers what, and what to say of expired ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase

from aks_egress.findings.report import Finding, Location, Report
from aks_egress.records import replace
from aks_egress.settings import Suppression


def apply(report: Report, suppressions: Sequence[Suppression], today: date) -> Report:
    """The report with accepted findings moved to `suppressed`.

    An expired suppression covers nothing any more; where it would have, the finding says so.  One
    that covers nothing at all is named in the notes, so that it can be taken out.
    """
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    used: set[int] = set()
    for finding in report.findings:
        covering = [index for index, one in enumerate(suppressions) if covers(one, finding)]
        used.update(covering)
        valid = [suppressions[index] for index in covering if not expired(suppressions[index], today)]
        if valid:
            said = _accepted(valid[0])
            suppressed.append(replace(finding, suppressed_by=said, suppressed_in_source=valid[0].inline))
        else:
            kept.append(_with_expiry(finding, [suppressions[index] for index in covering]))
    idle = (one for index, one in enumerate(suppressions) if index not in used)
    return replace(
        report,
        findings=tuple(kept),
        suppressed=(*report.suppressed, *suppressed),
        notes=(*report.notes, *(_idle(one) for one in idle)),
    )


def covers(suppression: Suppression, finding: Finding) -> bool:
    """Whether a suppression is about a finding, its day aside."""
    return (
        any(finding.rule.startswith(rule) for rule in suppression.rules)
        and _like(suppression.resource, _resources(finding))
        and _like(suppression.cluster, (finding.cluster,))
        and (not suppression.requirement or _like(suppression.requirement, finding.requirements))
        and _stands_at(suppression, finding)
    )


def expired(suppression: Suppression, today: date) -> bool:
    """Whether its last day is over."""
    return suppression.until is not None and suppression.until < today


def _resources(finding: Finding) -> Iterable[str]:
    """What a finding is about: its resource, and by their ids those that decide, as a comment beside one of them would."""
    return (finding.resource, finding.resource_id, *(hop.resource_id for hop in finding.deciders))


def _like(pattern: str, texts: Iterable[str]) -> bool:
    return not pattern or any(_matches(pattern.casefold(), text.casefold()) for text in texts)


def _matches(pattern: str, text: str) -> bool:
    """Only `*` is special: names may hold brackets."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def _stands_at(suppression: Suppression, finding: Finding) -> bool:
    if not suppression.path:
        return True
    places: list[Location] = [finding.location]
    places += [hop.location for hop in finding.deciders if hop.location is not None]
    return any(place.path == suppression.path and _within(place.line, suppression.lines) for place in places)


def _within(line: int | None, lines: tuple[int, int] | None) -> bool:
    return lines is None or (line is not None and lines[0] <= line <= lines[1])


def _accepted(one: Suppression) -> str:
    until = f", until {one.until.isoformat()}" if one.until else ""
    return f"{one.reason}{until}{_place(one)}"


def _place(one: Suppression) -> str:
    return f" ({Location(one.source.path, one.source.line)})" if one.source.path else ""


def _with_expiry(finding: Finding, former: Sequence[Suppression]) -> Finding:
    dated = [one for one in former if one.until is not None]
    if not dated:
        return finding
    last = max(dated, key=lambda one: one.until or date.min)
    said = f"{finding.message}; it was accepted until {last.until}{_place(last)}: {last.reason}"
    return replace(finding, message=said)


def _idle(one: Suppression) -> str:
    return f"the suppression of {', '.join(one.rules)}{_place(one)} covers nothing: take it out"
