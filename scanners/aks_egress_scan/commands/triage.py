"""`aks-egress triage`: one running cluster whose `kubectl logs` fails: is it the network or the pods?"""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.choices import add_scope, add_sign_in
from aks_egress_scan.options import CLOUDS, TUNNELS, Choices, Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress_scan.evaluate import Run
    from aks_egress_scan.live.picture import Picture
    from aks_egress_scan.live.seen import LogsSeen, Seen
    from aks_egress_scan.live.session import Session
    from aks_egress_scan.live.subject import Subject
    from aks_egress_scan.sources import Loaded

_DESCRIPTION = """\
For the moment when `kubectl logs` and `kubectl exec` fail.  Walks the cluster's egress as it runs, looks at
its tunnel pods through the Kubernetes API, reads their logs (from Log Analytics when the API cannot give
them), and says in plain words whether it is the network, the pods, or both, and what to do next.

It reads and changes nothing.  Reader rights in Azure and a kubeconfig that may list pods are enough
(docs/permissions.md); whatever is refused is said, and nothing is concluded from it.
"""

_EXAMPLES = """\
examples:
  aks-egress triage --cluster aks-shop
  aks-egress triage --cluster aks-shop --error "dial tcp 10.240.0.4:10250: i/o timeout"
  kubectl logs pod 2>&1 | aks-egress triage --cluster aks-shop --error -
  aks-egress triage --cluster aks-shop --subscription 1b2c... --aks-credentials   no kubeconfig at hand
  aks-egress triage --cluster aks-shop --snapshot fleet.json                Azure does not answer
  aks-egress triage --cluster aks-shop --no-kubernetes                      the API server does not answer

exit status: 0 neither is at fault: the way is open, the pods are ready, and a log call got through,
             1 the network or the pods are, 2 wrong usage or nobody signed in, 3 no such cluster, 4 nobody can say yet
"""
_STATUS = {"neither": 0, "network": 1, "pods": 1, "both": 1, "undecided": 4}


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("triage", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    parser.add_argument(
        "--cluster", action="append", metavar="NAME", help="the one cluster to look at (required)"
    )
    parser.add_argument(
        "--error",
        metavar="TEXT",
        default="",
        help="what kubectl said, to start from there; - reads standard input",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        dest="style",
        default="text",
        help="text for people (default), json for programs: aks-egress/triage/v1",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", dest="file", default="-", help="default: standard output"
    )
    add_scope(parser)
    parser.add_argument("--cloud", choices=CLOUDS, help="which of Azure's clouds to ask; default public")
    add_sign_in(parser)
    looks = parser.add_argument_group("where to look")
    looks.add_argument("--snapshot", metavar="FILE", help="judge this snapshot instead of asking Azure")
    looks.add_argument(
        "--kubeconfig", metavar="FILE", help="where kubectl's settings are; default: as kubectl finds them"
    )
    looks.add_argument(
        "--kube-context",
        metavar="NAME",
        help="which context of the kubeconfig leads to the cluster; default: the current one",
    )
    looks.add_argument(
        "--aks-credentials",
        action="store_true",
        help="take the kubeconfig from AKS, as `az aks get-credentials` does",
    )
    looks.add_argument(
        "--no-kubernetes",
        action="store_true",
        help="do not ask the Kubernetes API: the walk and Log Analytics alone",
    )
    looks.add_argument("--no-logs", action="store_true", help="do not ask Log Analytics")
    judging = parser.add_argument_group("judging")
    judging.add_argument(
        "--context",
        action="append",
        metavar="PATH",
        help="definitions that complete the picture (a hub, a snapshot); repeatable",
    )
    judging.add_argument(
        "--tunnel", choices=TUNNELS, help="which tunnel to judge; default auto: the one whose pods run"
    )
    judging.add_argument(
        "--service-tags",
        metavar="FILE",
        help="the service-tag JSON that Microsoft publishes; default: the cached one",
    )
    judging.add_argument(
        "--config", metavar="FILE", help="default aks-egress.toml, then [tool.aks-egress] in pyproject.toml"
    )
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Look, conclude and say; the exit status."""
    from aks_egress_scan import evaluate
    from aks_egress_scan.live.conclusion import conclude
    from aks_egress_scan.live.told import as_document, as_text
    from aks_egress_scan.output import write_text

    choices = Choices(chosen)
    _sensible(chosen, choices)
    _installed(chosen)
    settled = evaluate.prepare(choices, baseline=False)
    picture = _pictured(chosen, settled, _error(chosen.error))
    conclusion = conclude(picture)
    tell = as_document if chosen.style == "json" else as_text
    write_text(tell(picture, conclusion), chosen.file)
    return _STATUS[conclusion.cause]


def _sensible(chosen: Namespace, choices: Choices) -> None:
    """Refuse what contradicts itself, before anybody is asked anything."""
    if len(choices.many("cluster")) != 1:
        raise UsageFailure("name the one cluster to look at: `--cluster NAME`")
    if chosen.aks_credentials and chosen.snapshot:
        raise UsageFailure("`--aks-credentials` asks Azure, and `--snapshot` does not: name a `--kubeconfig`")
    for name in ("kubeconfig", "kube_context", "aks_credentials"):
        if chosen.no_kubernetes and getattr(chosen, name):
            raise UsageFailure(f"`--no-kubernetes` and `--{name.replace('_', '-')}` contradict each other")
    if chosen.aks_credentials and chosen.kubeconfig:
        raise UsageFailure("`--aks-credentials` and `--kubeconfig` contradict each other: give one of them")


def _installed(chosen: Namespace) -> None:
    """Everything that this run needs, asked for at once: nobody installs twice at night."""
    from aks_egress_scan.live.session import require

    extras = [] if chosen.snapshot else ["live"]
    extras += [] if chosen.no_kubernetes else ["kubernetes"]
    require("triage", *extras)


def _error(given: str) -> str:
    if given != "-":
        return given
    from aks_egress_scan.files import standard_input

    said = standard_input(65_536).decode("utf-8", "replace")
    if not said.strip():
        raise UsageFailure("standard input is empty: give the error text, such as `kubectl logs POD 2>&1 |`")
    return said


def _pictured(chosen: Namespace, settled: Run, error: str) -> Picture:
    """Everything that can be seen of the cluster, from the definitions that run to its logs."""
    from aks_egress.requirements.errors import nodes_in
    from aks_egress_scan.live.picture import Picture
    from aks_egress_scan.live.subject import judged, subject_of, ways

    api = None if chosen.no_kubernetes or chosen.aks_credentials else _api(chosen)
    session = None if chosen.snapshot else _session(settled)
    loaded = _loaded(settled, session, chosen.snapshot)
    subject = subject_of(loaded, settled.settings.clusters[0])
    if chosen.aks_credentials and session is not None:
        api = _api(chosen, _aks_kubeconfig(session, subject.id))
    nodes = nodes_in(error)
    seen, logs = _looked(chosen, api, session, subject, nodes)
    report, others = judged(settled, loaded, seen, subject)
    return Picture(
        report=report,
        seen=seen,
        logs=logs,
        error=error,
        nodes=nodes,
        ways=tuple(ways(settled, loaded, seen, report.clusters[0], nodes)),
        others=others,
        engine=subject.engine,
        authorized=subject.authorized,
        power=subject.power,
    )


def _api(chosen: Namespace, given: Any = None) -> Any:
    from aks_egress_scan.live import kube

    return kube.connect(chosen.kubeconfig or "", chosen.kube_context or "", given)


def _session(settled: Run) -> Session:
    from aks_egress_scan.live.session import connect

    choices = settled.choices
    return connect(settled.settings.cloud, choices.one("credential", "default"), choices.one("tenant"))


def _loaded(settled: Run, session: Session | None, snapshot: str) -> Loaded:
    if session is None:
        from aks_egress_scan.evaluate import load_inputs

        return load_inputs(settled, [snapshot])
    from aks_egress_scan.commands.audit import collected

    return collected(settled, session)


def _looked(
    chosen: Namespace, api: Any, session: Session | None, subject: Subject, nodes: tuple[str, ...]
) -> tuple[Seen, LogsSeen]:
    """The pods and their logs, as far as anybody answers."""
    from aks_egress_scan.live.seen import LogsSeen, Seen

    if api is None:
        seen = Seen(
            failures=[
                "pods, nodes, events and network policies: the Kubernetes API was not asked (`--no-kubernetes`)"
            ]
        )
    else:
        from aks_egress_scan.live import kube
        from aks_egress_scan.live.subject import same_cluster

        seen = kube.look(api)
        same_cluster(subject, seen)
        lines = kube.pod_logs(api, seen, next(iter(nodes), "")) if seen.listed else []
        if lines or seen.agents_heard:
            return seen, LogsSeen(source="Kubernetes API", lines=tuple(lines))
    if chosen.no_logs or session is None:
        option = "--no-logs" if chosen.no_logs else "--snapshot"
        return seen, LogsSeen(failures=(f"logs: Log Analytics was not asked (`{option}`)",))
    from aks_egress_scan.live.logs import workspace_logs

    return seen, workspace_logs(session, subject.id)


def _aks_kubeconfig(session: Session, cluster: str) -> Any:
    """The user's kubeconfig as AKS gives it."""
    import yaml  # type: ignore[import-untyped]
    from azure.core.exceptions import AzureError

    from aks_egress_scan.live.details import names_of
    from aks_egress_scan.live.session import first_line

    subscription, group, names = names_of(cluster)
    clusters = session.containers(subscription).managed_clusters
    try:
        answer = clusters.list_cluster_user_credentials(group, names[0])
        read = yaml.safe_load(bytes(answer.kubeconfigs[0].value))
    except AzureError as error:
        raise UsageFailure(
            f"AKS gives no kubeconfig: {first_line(error)}: grant `Microsoft.ContainerService/managedClusters/listClusterUserCredential/action`, or use `--kubeconfig`"
        ) from None
    except (IndexError, TypeError, ValueError, yaml.YAMLError):
        read = None
    if not isinstance(read, dict):
        raise UsageFailure("AKS gives no kubeconfig that can be read: use `--kubeconfig`")
    return read
