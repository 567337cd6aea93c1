"""`aks-egress triage`: one running cluster whose `kubectl logs` fails: is it the network or the pods?"""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import NothingToJudge, UsageFailure
from aks_egress_scan.live.choices import add_scope, add_sign_in
from aks_egress_scan.options import CLOUDS, TUNNELS, Choices, Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.findings.report import Report
    from aks_egress_scan.evaluate import Run
    from aks_egress_scan.live.seen import LogsSeen, Seen
    from aks_egress_scan.live.session import Session
    from aks_egress_scan.sources import Loaded

_DESCRIPTION = """\
For the moment when `kubectl logs` and `kubectl exec` fail.  Walks the cluster's egress as it runs, looks at
its tunnel pods through the Kubernetes API, reads their logs (from Log Analytics when the API cannot give
them), and says in plain words whether it is the network, the pods, or both, and what to do next.

It reads and changes nothing.
"""

_EXAMPLES = """\
examples:
  aks-egress triage --cluster aks-shop
  aks-egress triage --cluster aks-shop --error "dial tcp 10.240.0.4:10250: i/o timeout"
  kubectl logs pod 2>&1 | aks-egress triage --cluster aks-shop --error -
  aks-egress triage --cluster aks-shop --snapshot fleet.json --no-logs      without asking Azure
  aks-egress triage --cluster aks-shop --no-kubernetes                      the API server does not answer

exit status: 0 neither is at fault, 1 the network or the pods are, 2 wrong usage, 3 no such cluster, 4 nobody can say yet
"""
_STATUS = {"neither": 0, "network": 1, "pods": 1, "both": 1, "undecided": 4}


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("triage", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    parser.add_argument("--cluster", action="append", metavar="NAME", help="the cluster (required)")
    parser.add_argument(
        "--error", metavar="TEXT", default="", help="what kubectl said; - reads standard input"
    )
    parser.add_argument("--format", choices=("text", "json"), dest="style", default="text")
    parser.add_argument("-o", "--output", metavar="FILE", dest="file", default="-")
    add_scope(parser)
    parser.add_argument("--cloud", choices=CLOUDS, help="default public")
    add_sign_in(parser)
    looks = parser.add_argument_group("where to look")
    looks.add_argument("--snapshot", metavar="FILE", help="judge this snapshot instead of collecting")
    looks.add_argument("--kubeconfig", metavar="FILE", help="default: as kubectl finds it")
    looks.add_argument("--kube-context", metavar="NAME", help="default: the current one")
    looks.add_argument(
        "--aks-credentials",
        action="store_true",
        help="take the kubeconfig from AKS, as `az aks get-credentials` does",
    )
    looks.add_argument("--no-kubernetes", action="store_true", help="do not ask the Kubernetes API")
    looks.add_argument("--no-logs", action="store_true", help="do not ask Log Analytics")
    judging = parser.add_argument_group("judging")
    judging.add_argument(
        "--context", action="append", metavar="PATH", help="definitions that complete the picture"
    )
    judging.add_argument("--tunnel", choices=TUNNELS, help="default: by the pods that run")
    judging.add_argument("--service-tags", metavar="FILE")
    judging.add_argument("--config", metavar="FILE")
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Look, conclude and say; the exit status."""
    from aks_egress_scan import evaluate
    from aks_egress_scan.live.conclusion import conclude
    from aks_egress_scan.live.told import as_document, as_text
    from aks_egress_scan.output import write_text

    choices = Choices(chosen)
    if len(choices.many("cluster")) != 1:
        raise UsageFailure("name the one cluster to look at: `--cluster NAME`")
    settled = evaluate.prepare(choices, baseline=False)
    error = _error(chosen.error)
    session = None if chosen.snapshot else _session(settled)
    loaded = _loaded(settled, session, chosen.snapshot)
    cluster = _cluster_id(loaded, settled.settings.clusters[0])
    seen, logs = _looked(chosen, session, cluster)
    report = _judged(settled, loaded, seen, cluster.rsplit("/", 1)[-1])
    conclusion = conclude(report.clusters[0], seen, logs, error)
    tell = as_document if chosen.style == "json" else as_text
    write_text(tell(report, seen, logs, conclusion), chosen.file)
    return _STATUS[conclusion.cause]


def _error(given: str) -> str:
    if given != "-":
        return given
    from aks_egress_scan.files import standard_input

    return standard_input(65_536).decode("utf-8", "replace")


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


def _cluster_id(loaded: Loaded, name: str) -> str:
    """The resource id of the cluster of that name; there must be one."""
    from aks_egress.topology.clusters import CLUSTERS

    found = sorted(
        {
            str(one.id)
            for document in loaded.documents
            for one in document.resources
            if one.kind == CLUSTERS.casefold() and one.name.casefold() == name.casefold()
        }
    )
    if not found:
        raise NothingToJudge(f"there is no cluster `{name}` among what can be seen")
    if len(found) > 1:
        places = ", ".join(f"`{one}`" for one in found)
        raise UsageFailure(f"several clusters are called `{name}` ({places}): add `--resource-group`")
    return found[0]


def _looked(chosen: Namespace, session: Session | None, cluster: str) -> tuple[Seen, LogsSeen]:
    """The pods and their logs, as far as anybody answers."""
    from aks_egress_scan.live.seen import LogsSeen, Seen

    seen = Seen(asked=False)
    lines: list[str] = []
    failures: list[str] = []
    if not chosen.no_kubernetes:
        from aks_egress_scan.live import kube

        given = _aks_kubeconfig(session, cluster) if chosen.aks_credentials and session is not None else None
        api = kube.connect(chosen.kubeconfig or "", chosen.kube_context or "", given)
        seen = kube.look(api)
        worst_first = sorted(seen.tunnel_pods, key=lambda pod: (pod.ready, pod.name))[:3]
        lines, failures = kube.pod_logs(api, worst_first)
    if lines or session is None or chosen.no_logs:
        return seen, LogsSeen(source="Kubernetes API", lines=tuple(lines), failures=tuple(failures))
    from aks_egress_scan.live.logs import workspace_logs

    found = workspace_logs(session, cluster)
    return seen, LogsSeen(source=found.source, lines=found.lines, failures=(*failures, *found.failures))


def _aks_kubeconfig(session: Session, cluster: str) -> Any:
    """The user's kubeconfig as AKS gives it."""
    import yaml  # type: ignore[import-untyped]
    from azure.core.exceptions import AzureError

    from aks_egress_scan.live.details import names_of
    from aks_egress_scan.live.session import first_line

    subscription, group, names = names_of(cluster)
    try:
        answer = session.containers(subscription).managed_clusters.list_cluster_user_credentials(
            group, names[0]
        )
        return yaml.safe_load(bytes(answer.kubeconfigs[0].value))
    except (AzureError, IndexError, TypeError, yaml.YAMLError) as error:
        raise UsageFailure(
            f"AKS gives no kubeconfig: {first_line(error)}: grant `Microsoft.ContainerService/managedClusters/listClusterUserCredential/action`, or use `--kubeconfig`"
        ) from None


def _judged(settled: Run, loaded: Loaded, seen: Seen, name: str) -> Report:
    """The report, with what was seen settling the tunnel and the API server's address."""
    from aks_egress.records import replace
    from aks_egress_scan.evaluate import judge

    settings = settled.settings
    if settings.tunnel == "auto" and seen.listed:
        settings = replace(settings, tunnel=seen.tunnels[0] if seen.tunnels else "auto")
    addresses = [one for one in seen.api_addresses if _is_public(one)]
    if len(addresses) == 1:
        known = {name: addresses[0], **settings.api_server_addresses}
        settings = replace(settings, api_server_addresses=known)
    report = judge(replace(settled, settings=settings), loaded)
    if not report.clusters:
        raise NothingToJudge(f"cluster `{name}` could not be judged")
    if seen.tunnels and settled.settings.tunnel == "auto":
        first = report.clusters[0]
        said = f"its pods run ({len(seen.of(seen.tunnels[0]))} of {seen.tunnels[0]})"
        tunnel = replace(first.tunnel, evidence=said)
        report = replace(report, clusters=(replace(first, tunnel=tunnel), *report.clusters[1:]))
    return report


def _is_public(address: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(address).is_global
    except ValueError:
        return False
