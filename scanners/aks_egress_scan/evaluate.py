"""One evaluation: options to settings, paths to documents, both to a report."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aks_egress.arm.resources import Kind, Role
from aks_egress.findings.report import Report
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import record, replace
from aks_egress.settings import Settings
from aks_egress_scan import config, service_tags
from aks_egress_scan.exit_status import Exit, status_of
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import Choices, Output, stray_variables
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.reporters.escaping import visible
from aks_egress_scan.sources import Loaded, load

if TYPE_CHECKING:
    from aks_egress.arm.resources import Document


@record(frozen=True, slots=True)
class Run:
    """What one evaluation goes by: every option settled, nothing read yet but the configuration."""

    choices: Choices
    settings: Settings
    tags: ServiceTags
    outputs: tuple[Output, ...]
    fail_on: str
    unknown: str
    baseline: str = ""


def prepare(choices: Choices, *, baseline: bool = True) -> Run:
    """Settle every option; `baseline` off leaves one that is configured out.  Raises UsageFailure for a broken configuration or service-tag file."""
    configuration = configured(choices)
    settings = replace(
        configuration.settings,
        clusters=choices.many("cluster"),
        cloud=choices.one("cloud"),
        tunnel=choices.one("tunnel", "auto"),
        features=choices.many("feature"),
    )
    return Run(
        choices,
        settings,
        service_tags.load(choices.one("service-tags"), choices.one("cloud"), say),
        choices.outputs(),
        choices.one("fail-on", "error"),
        choices.one("unknown", "fail"),
        choices.one("baseline") if baseline else "",
    )


def configured(choices: Choices) -> config.Configuration:
    """The configuration, whose options the choices take into account from now on."""
    for name in stray_variables():
        say(f"environment variable `{name}` is no option of this program and changes nothing")
    found = config.read(choices.one("config"))
    choices.configure(found.options)
    return found


def load_inputs(run: Run, paths: Sequence[str], changed: Sequence[str] | None = None) -> Loaded:
    """The documents of a run; the configuration's `inputs` where no path was given.

    With `changed`, only what those files are part of is judged.
    """
    named = tuple(paths) or run.choices.many("inputs")
    if not named:
        raise UsageFailure(
            "nothing was named to judge: give a file or a folder, or `inputs` in the configuration"
        )
    return _told(_read(run, named, changed))


def beside(run: Run, document: Document) -> Loaded:
    """A document of what runs as what is judged, with the context that was named beside it."""
    loaded = _read(run, ()) if run.choices.many("context") else Loaded()
    loaded.documents.insert(0, document)
    return _told(loaded)


def _read(run: Run, named: Sequence[str], changed: Sequence[str] | None = None) -> Loaded:
    context = run.choices.many("context")
    live = "live" in context and not os.path.exists("live")
    with _no_rubbish():
        loaded = load(
            named,
            [one for one in context if not (live and one == "live")],
            _given(run),
            run.choices.number("max-size", 256),
            changed,
            run.choices.one("bicep-cli"),
        )
    if live:
        from aks_egress_scan.commands.audit import live_context

        loaded.documents.append(live_context(run))
    return loaded


def _told(loaded: Loaded) -> Loaded:
    """The same, after people have heard what is wrong with it and what is laid over what."""
    for said in dict.fromkeys(map(_placed, loaded.failures)):
        say(said)
    for note in loaded.notes:
        say(note)
    if any(one.runs for one in loaded.documents):
        from aks_egress_scan.overlaid import explain

        explain(loaded.documents, say)
    return loaded


def _given(run: Run) -> tuple[str, ...]:
    """What `--param` gave; before it, so that it wins, the cloud that `--cloud` names for `environment()`."""
    cloud = run.choices.one("cloud")
    return (*([f"environment().name={cloud}"] if cloud else []), *run.choices.many("param"))


def _placed(failure: MalformedError) -> str:
    place = ":".join(str(part) for part in (failure.path, failure.line, failure.column) if part)
    return f"{place}: {failure.message}"


def judge(run: Run, loaded: Loaded) -> Report:
    """The report on what was loaded, with suppressions and the baseline applied."""
    from aks_egress.engine import judge as judged
    from aks_egress.requirements.facts import UnknownFeatureError
    from aks_egress.settings import DeclarationError

    try:
        with _no_rubbish():
            report = judged(loaded.documents, run.settings, run.tags)
    except (UnknownFeatureError, DeclarationError) as error:
        raise UsageFailure(str(error)) from None
    _know_every_cluster(run, report, loaded)
    if not run.choices.flag("no-suppressions"):
        report = _without_accepted(run, report, loaded)
    if run.baseline:
        from aks_egress.findings.baseline import without_known
        from aks_egress_scan.baseline_file import read

        report = without_known(report, read(run.baseline), run.baseline)
    return report


MANY = 1_000_000
"""So many new objects are a fleet's."""


@contextmanager
def _no_rubbish() -> Iterator[None]:
    """Reading and judging leave nothing that only a search would find, and of a fleet a search takes a fifth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > MANY:
            gc.freeze()  # a report of a fleet is kept to the end; the first search would look through all of it
        if was:
            gc.enable()


def _without_accepted(run: Run, report: Report, loaded: Loaded) -> Report:
    pictured = any(one.kind in (Kind.SNAPSHOT, Kind.LIVE) for one in loaded.documents)
    if not report.findings or not (run.settings.suppressions or loaded.texts or pictured):
        return report
    from datetime import date

    from aks_egress.findings.suppressions import apply
    from aks_egress_scan.inline import suppressions_in

    inline = suppressions_in(loaded.texts, loaded.documents, say)
    return apply(report, [*run.settings.suppressions, *inline], date.today())


def finish(run: Run, report: Report, loaded: Loaded) -> int:
    """Write the reports and answer the exit status."""
    from aks_egress_scan.output import write

    write(report, run.outputs, run.choices)
    status = status_of(report, fail_on=run.fail_on, unknown=run.unknown, broken_input=broken(loaded))
    if status is Exit.NOTHING_TO_JUDGE and loaded.documents:
        say(nothing(run, loaded))
    return int(status)


def broken(loaded: Loaded) -> bool:
    """Whether anything that was named could not be read as what it is."""
    return bool(loaded.failures) or any(
        notice.malformed for one in loaded.documents for notice in one.notices
    )


def _know_every_cluster(run: Run, report: Report, loaded: Loaded) -> None:
    """Refuse a name that no cluster has beside one that some cluster has: that cluster would go unjudged."""
    judged_ = {one.name.casefold() for one in report.clusters}
    missing = [name for name in run.settings.clusters if name.casefold() not in judged_]
    if missing and report.clusters:
        names = ", ".join(f"`{name}`" for name in missing)
        raise UsageFailure(f"no cluster is named {names}: {_clusters_there(loaded)}")


def _clusters_there(loaded: Loaded) -> str:
    """Which clusters there are to choose from."""
    kind = "microsoft.containerservice/managedclusters"
    there = sorted(
        {one.name for document in loaded.documents for one in document.resources if one.kind == kind}
    )
    return f"there are {', '.join(f'`{name}`' for name in there)}" if there else "none is among what was read"


def nothing(run: Run, loaded: Loaded) -> str:
    """Why there is nothing to judge."""
    if run.settings.clusters:
        names = " or ".join(f"`{one}`" for one in run.settings.clusters)
        return f"nothing to judge: no AKS cluster is named {names}: {_clusters_there(loaded)}"
    said = "nothing to judge: no AKS cluster and no declared node subnet among the inputs"
    beside = _clusters(one for one in loaded.documents if one.role is Role.CONTEXT)
    if not beside:
        return said
    many = "1 cluster in the context is" if len(beside) == 1 else f"{len(beside)} clusters in the context are"
    return f"{said}; {many} not judged: name the file as a PATH, without --context, to judge them"


def _clusters(documents: Iterable[Document]) -> set[str]:
    """The keys of all clusters in some documents."""
    kind = "microsoft.containerservice/managedclusters"
    return {one.id.key for document in documents for one in document.resources if one.kind == kind}


def say(sentence: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"aks-egress: {visible(sentence)}\n")
