"""Asking the Kubernetes API about a tunnel: every question may fail by itself, and none takes for ever."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.asking import NoAnswerError, RefusedError, said, side_by_side
from aks_egress_scan.live.blotted import blotted
from aks_egress_scan.live.kube_objects import addresses_of, node_of, pod_of, text_at
from aks_egress_scan.live.seen import Call, PodSeen, Seen
from aks_egress_scan.live.session import first_line, require

NAMESPACE = "kube-system"
TIMEOUT = 10
"""Seconds that one page of an answer may take."""

ALL = 30
"""Seconds that all lists together may take."""

CALLS = 40
"""Seconds that the log calls may take: the API server itself gives up a node after 30."""

SIGN_IN, SIGN_IN_BY_HAND = 60, 600
"""Seconds that the kubeconfig's sign-in command may take, without and with somebody at the terminal."""

PAGE, PAGES = 500, 40
TAIL = 200
"""Lines of a log that are read."""

MOST_CALLS = 8
"""Log calls that are tried: the tunnel's own pods, then one pod of each pool of nodes."""


def connect(kubeconfig: str = "", context: str = "", given: Mapping[str, Any] | None = None) -> Any:
    """A client by kubeconfig, or by one that is `given`; raises UsageFailure where there is none."""
    require("asking the Kubernetes API", "kubernetes")
    from kubernetes import client

    settings = client.Configuration()
    settings.retries = 1
    with _Heard() as heard:
        by_hand = sys.stdout.isatty()
        load = _loader(settings, kubeconfig, context, given)
        answer = side_by_side({"load": load}, SIGN_IN_BY_HAND if by_hand else SIGN_IN)["load"]
    if isinstance(answer, NoAnswerError):
        raise UsageFailure(
            f"the sign-in command that the kubeconfig names has not come back: {answer}: run `kubectl get nodes` once by hand, or `kubelogin convert-kubeconfig -l azurecli`"
        )
    if isinstance(answer, Exception):
        raise UsageFailure(_no_kubeconfig(answer))
    if heard.texts and not settings.api_key and not settings.cert_file:
        raise UsageFailure(_no_sign_in(heard.texts[0]))
    return client.ApiClient(settings)


def _loader(
    settings: Any, kubeconfig: str, context: str, given: Mapping[str, Any] | None
) -> Callable[[], Any]:
    from kubernetes import config

    load: Any = config.load_kube_config_from_dict if given is not None else config.load_kube_config
    if given is not None:
        return lambda: load(dict(given), context or None, settings)
    return lambda: load(
        kubeconfig or None, context or None, client_configuration=settings, persist_config=False
    )


class _Heard(logging.Handler):
    """What the client only logs: that a sign-in command failed.  It goes on without credentials then."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


def _no_kubeconfig(error: Exception) -> str:
    return f"the Kubernetes API cannot be asked: {blotted(first_line(error))}: run `az aks get-credentials`, name a file with `--kubeconfig` or a context with `--kube-context`, or leave it out with `--no-kubernetes`"


def _no_sign_in(text: str) -> str:
    why = blotted(" ".join(text.split()))[:300].rstrip(".")
    if "No such file" in text:
        return f"the kubeconfig signs in with a command that is not installed: {why}: install it (`az aks install-cli` brings kubelogin), or leave the Kubernetes API out with `--no-kubernetes`"
    return f"the kubeconfig's sign-in command failed: {why}: sign in (`az login`, `kubelogin convert-kubeconfig -l azurecli`), or leave the Kubernetes API out with `--no-kubernetes`"


def look(api: Any) -> Seen:
    """Everything about the tunnel that the API shows, but for logs."""
    answers = side_by_side(_questions(api), ALL)
    seen = Seen(host=str(api.configuration.host or ""))
    seen.failures += _failures(answers)
    rows: dict[str, list[Any]] = {
        what: answer if isinstance(answer, list) else [] for what, answer in answers.items()
    }
    seen.listed = isinstance(answers["pods"], list)
    pods = list(_read(seen, "pods", rows["pods"], pod_of, rows["events"], rows["network policies"]))
    seen.pods = [one for one in pods if one.part]
    seen.others = [one for one in pods if not one.part]
    seen.nodes = list(_read(seen, "nodes", rows["nodes"], node_of))
    seen.api_addresses = sorted({one for row in rows[_ADDRESS] for one in addresses_of(row)})
    return seen


_ADDRESS = "the API server's address"


def _questions(api: Any) -> dict[str, Callable[[], list[Any]]]:
    from kubernetes import client

    core, networking = client.CoreV1Api(api), client.NetworkingV1Api(api)
    discovery = client.DiscoveryV1Api(api)
    of_api_server = {"label_selector": "kubernetes.io/service-name=kubernetes"}
    return {
        "pods": lambda: _all(core.list_namespaced_pod, NAMESPACE),
        "nodes": lambda: _all(core.list_node),
        "events": lambda: _all(core.list_namespaced_event, NAMESPACE, field_selector="type=Warning"),
        "network policies": lambda: _all(networking.list_namespaced_network_policy, NAMESPACE),
        _ADDRESS: lambda: _all(discovery.list_namespaced_endpoint_slice, "default", **of_api_server),
    }


def _all(ask: Callable[..., Any], *where: str, **how: str) -> list[Any]:
    """Every row of a list, page by page."""
    rows: list[Any] = []
    more: dict[str, str] = {}
    for _ in range(PAGES):
        page = _page(_body(ask(*where, limit=PAGE, **_plainly(TIMEOUT), **how, **more)))
        rows += page.get("items") or ()
        token = text_at(page, "metadata", "continue")
        if not token:
            return rows
        more = {"_continue": token}
    raise NoAnswerError(f"the list has more than {PAGE * PAGES} rows")


def _plainly(seconds: float) -> dict[str, Any]:
    """For the bytes of an answer: the client's own classes refuse what a server of another version says."""
    return {"_request_timeout": seconds, "_preload_content": False}


def _body(answer: Any) -> bytes:
    if not 200 <= answer.status < 300:
        raise RefusedError(answer.status, answer.data)
    return bytes(answer.data)


def _page(data: bytes) -> Mapping[str, Any]:
    page: Any = json.loads(data)
    listed = isinstance(page, dict) and str(page.get("kind")).endswith("List")
    if not listed or not isinstance(page.get("items"), list | None):
        raise NoAnswerError("the answer is no list, so not Kubernetes' own")
    return dict(page)


def _failures(answers: Mapping[str, Any]) -> Iterator[str]:
    """Each reason once, with everything that had no answer because of it."""
    reasons: dict[str, list[str]] = {}
    for what, answer in answers.items():
        if isinstance(answer, Exception):
            reasons.setdefault(said(answer), []).append(what)
    for why, whats in reasons.items():
        yield f"{', '.join(whats)}: {why}"


def _read(
    seen: Seen, what: str, rows: Iterable[Any], read: Callable[..., Any], *beside: Sequence[Any]
) -> Iterator[Any]:
    """The rows as we know them; one that is not as Kubernetes writes it is a failure."""
    for row in rows:
        try:
            one = read(row, *beside)
        except ValueError as error:
            seen.failures.append(f"{what}: a row cannot be read: {first_line(error)}")
            seen.listed = seen.listed and what != "pods"
        else:
            yield one


def pod_logs(api: Any, seen: Seen, named: str = "") -> list[str]:
    """The last lines of tunnel pods' logs, the newest first; what came of each call goes to `seen.calls`.

    A log call goes the way that `kubectl logs` goes, so it tries the tunnel: to the tunnel's own pods, to
    the node that is `named`, and to one pod of each pool of nodes.
    """
    from kubernetes import client

    core = client.CoreV1Api(api)
    pods = {one.name: one for one in _to_call(seen, named)}
    answers = side_by_side({name: _log_call(core, pod) for name, pod in pods.items()}, CALLS)
    seen.calls = [_call(pods[name], answer) for name, answer in answers.items()]
    lines: list[str] = []
    for name, answer in answers.items():
        if isinstance(answer, str) and pods[name].part in ("konnectivity", "aks-link", "tunnelfront"):
            lines += [f"{name}: {blotted(line)}" for line in reversed(answer.splitlines()) if line.strip()]
    return lines


def _log_call(core: Any, pod: PodSeen) -> Callable[[], str]:
    how = {"container": pod.container} if pod.container else {}
    tail = TAIL if pod.part else 1

    def ask() -> str:
        answer = core.read_namespaced_pod_log(
            pod.name, NAMESPACE, tail_lines=tail, **_plainly(CALLS - 5), **how
        )
        return _body(answer).decode("utf-8", "replace")

    return ask


def _to_call(seen: Seen, named: str) -> list[PodSeen]:
    """Which pods are tried, the more telling first; a pod without a node has no log.

    An agent answers for its own node whatever stands between nodes, so each pool is tried on a node that has
    none, where there is one.
    """
    agents = sorted(seen.tunnel_pods, key=lambda pod: (pod.ready, pod.name))[:3]
    target = seen.node(named) if named else None
    chosen = [pod for pod in agents if pod.node]
    there = [
        pod for pod in (*seen.pods, *seen.others) if pod.node and pod.phase == "Running" and not pod.over
    ]
    there.sort(key=lambda pod: (pod.node in seen.agents_on, not pod.ready, pod.name))
    chosen += [pod for pod in there if target is not None and pod.node == target.name][:1]
    pools = {one.name: one.pool or one.name for one in seen.nodes}
    reached = {pools.get(pod.node, pod.node) for pod in chosen if pod.node not in seen.agents_on}
    for pod in there:
        pool = pools.get(pod.node, pod.node)
        if pool not in reached:
            reached.add(pool)
            chosen.append(pod)
    return list(dict.fromkeys(chosen))[:MOST_CALLS]


def _call(pod: PodSeen, answer: Any) -> Call:
    """What a call says of the tunnel: refusals and complaints about the pod come from this side of it."""
    if not isinstance(answer, Exception):
        return Call(pod=pod.name, node=pod.node, outcome="through")
    status = getattr(answer, "status", None)
    untold = isinstance(status, int) and 400 <= status < 500
    return Call(pod=pod.name, node=pod.node, outcome="untold" if untold else "failed", said=said(answer))
