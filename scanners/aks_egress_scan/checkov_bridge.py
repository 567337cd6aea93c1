"""Our verdicts for the resources that checkov looks at, one by one.

Everything that checkov was asked about is judged once, as `aks-egress scan` would with the configuration of the
working directory and the environment; each resource is then answered from that report.  Nothing here imports
checkov: the checks that it loads lie in `checkov_checks/`.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from aks_egress.findings.report import Cluster, Finding, Location, Report, Severity
from aks_egress.records import field, record
from aks_egress_scan import evaluate
from aks_egress_scan.failures import NothingToJudge, UsageFailure
from aks_egress_scan.options import Choices
from aks_egress_scan.sources import Loaded

ID = "AKS_EGRESS_1"
TITLE = "All flows that AKS needs get through security groups, routes and firewalls"

#: what is answered for even where nothing is found: a cluster that nobody judged is no pass
CLUSTERS = frozenset({"azurerm_kubernetes_cluster", "microsoft.containerservice/managedclusters"})


@record(frozen=True, slots=True)
class Asked:
    """One resource as checkov knows it: an absolute path, its lines, its Terraform address or nothing."""

    path: str
    first: int
    last: int
    type: str
    address: str = ""


@record(frozen=True, slots=True)
class Answer:
    """`sound` is None where there is nothing to say about a resource."""

    sound: bool | None
    texts: tuple[str, ...] = ()


@record(frozen=True, slots=True)
class _Mark:
    """A place that a sentence is about, in any of the documents; no sentence says that it was judged."""

    documents: frozenset[str]
    label: str
    path: str
    line: int | None
    text: str = ""


@record(slots=True)
class Verdicts:
    """What was found about one set of inputs."""

    marks: tuple[_Mark, ...] = ()
    failure: str = ""
    _seen: dict[Asked, Answer] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        """What to say about one resource."""
        if asked not in self._seen:
            self._seen[asked] = self._answer(asked)
        return self._seen[asked]

    def _answer(self, asked: Asked) -> Answer:
        is_cluster = asked.type.split("@")[0].casefold() in CLUSTERS
        if self.failure:
            return Answer(False, (self.failure,)) if is_cluster else Answer(None)
        about = [one for one in self.marks if _is_about(one, asked)]
        texts = tuple(dict.fromkeys(one.text for one in about if one.text))
        if texts:
            return Answer(False, texts)
        if not is_cluster:
            return Answer(None)
        if about:
            return Answer(True)
        said = "this cluster was not judged: nothing that aks-egress reads here defines it; `aks-egress scan` says what it reads"
        return Answer(False, (said,))


def _is_about(mark: _Mark, asked: Asked) -> bool:
    if asked.address and _base(mark.label) == _base(asked.address) and mark.label != asked.address:
        return False  # another instance of the same block
    if mark.path == asked.path and mark.line is not None and asked.first <= mark.line <= asked.last:
        return True
    named = bool(asked.address) and mark.label == asked.address
    return named and any(
        asked.path == one or asked.path.startswith(f"{one}{os.sep}") for one in mark.documents
    )


def _base(address: str) -> str:
    return address.partition("[")[0]


@cache
def verdicts(paths: tuple[str, ...]) -> Verdicts:
    """Judge files and folders, given by absolute paths, once.

    What keeps them from being judged (a broken file, a wrong configuration) is the answer for every cluster.
    """
    try:
        run = evaluate.prepare(Choices(Namespace()))
        loaded = evaluate.load_inputs(run, paths)
        if evaluate.broken(loaded):
            return Verdicts(failure=_broken(loaded))
        report = evaluate.judge(run, loaded)
    except (UsageFailure, NothingToJudge) as failure:
        return Verdicts(failure=f"nothing was judged: {failure}")
    except Exception as error:  # noqa: BLE001 - checkov would log it and go on, which is a pass
        return Verdicts(failure=f"nothing was judged: an error of aks-egress, {type(error).__name__}")
    return Verdicts(tuple(_marks(report, loaded, run.fail_on, run.unknown)))


def _broken(loaded: Loaded) -> str:
    places = [f"{Location(one.path, one.line)}: {one.message}" for one in loaded.failures]
    places += [
        f"{Location(notice.origin.path, notice.origin.line)}: {notice.message}"
        for document in loaded.documents
        for notice in document.notices
        if notice.malformed
    ]
    return f"nothing was judged, because the inputs are broken: {'; '.join(dict.fromkeys(places))}"


def _marks(report: Report, loaded: Loaded, fail_on: str, unknown: str) -> Iterator[_Mark]:
    homes = [(one, *_home(one, loaded)) for one in report.clusters]
    for cluster, documents, label in homes:
        texts = ["", *(_undecided(cluster) if unknown == "fail" else ())]
        yield from (_mark(documents, label, cluster.place, text) for text in texts)
    for finding in report.findings:
        if fail_on == "never" or finding.severity.rank > Severity(fail_on).rank:
            continue
        text = _text(finding)
        own = [one for one in homes if finding.concerns(one[0])]
        documents = frozenset(path for _, paths, _ in own for path in paths)
        yield _mark(documents, finding.resource, finding.location, text)
        yield from (_mark(documents, hop.resource, hop.location, text) for hop in finding.deciders)
        yield from (_mark(paths, label, cluster.place, text) for cluster, paths, label in own)


def _mark(documents: frozenset[str], label: str, place: Location | None, text: str) -> _Mark:
    if place is None:
        return _Mark(documents, label, "", None, text)
    return _Mark(documents, label, os.path.realpath(place.path), place.line, text)


def _home(cluster: Cluster, loaded: Loaded) -> tuple[frozenset[str], str]:
    """The documents that define a cluster, and what they call it."""
    found = [
        (os.path.realpath(document.path), resource.label)
        for document in loaded.documents
        for resource in document.resources
        if str(resource.id) == cluster.id
    ]
    return frozenset(path for path, _ in found), found[0][1] if found else cluster.name


def _text(finding: Finding) -> str:
    parts = [f"{finding.rule} {finding.name}: {finding.message}", f"at {_near(finding.location)}"]
    if finding.breaks:
        parts.append(f"breaks {', '.join(finding.breaks)}")
    if finding.fix:
        parts.append(f"fix: {finding.fix}")
    return "; ".join(parts)


def _undecided(cluster: Cluster) -> Iterator[str]:
    open_ = [one for one in cluster.flows if str(one.verdict) == "unknown" and one.necessity == "required"]
    if open_:
        reasons = dict.fromkeys(f"{one.reason} (to settle it: {one.settle})" for one in open_ if one.reason)
        yield f"{len(open_)} required flows of `{cluster.name}` are undecided: {'; '.join(reasons)}"


def _near(place: Location) -> str:
    """A place as seen from the working directory."""
    path = os.path.relpath(place.path) if os.path.isabs(place.path) else place.path
    return str(Location(place.path if path.startswith("..") else path, place.line))


def asked_paths(file: str) -> tuple[tuple[str, ...], str]:
    """What checkov was asked to scan, and the absolute path of the file that it looks at.

    It tells a check the file alone, for Terraform relative to a folder that it does not tell; so the folder and the
    files are read from the arguments of its runner, which is on the stack.
    """
    files: Sequence[str] = ()
    root = ""
    frame = sys._getframe(1)
    while frame is not None:
        known = frame.f_locals
        if frame.f_code.co_name == "run" and "root_folder" in known and "external_checks_dir" in known:
            files, root = known.get("files") or (), str(known["root_folder"] or "")
            break
        frame = frame.f_back  # type: ignore[assignment]
    path = _resolved(file, root)
    return tuple(_absolute(files)) or tuple(_absolute([root] if root else [path])), path


def _resolved(file: str, root: str) -> str:
    below = os.path.join(root, file.lstrip("/"))
    return os.path.realpath(below if os.path.exists(below) or not os.path.exists(file) else file)


def _absolute(paths: Iterable[str]) -> Iterator[str]:
    return (os.path.realpath(str(one)) for one in paths)
