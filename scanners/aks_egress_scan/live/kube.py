"""Asking the Kubernetes API about a tunnel; each question may fail by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.seen import TUNNEL_PODS, NodeSeen, PodSeen, Seen
from aks_egress_scan.live.session import first_line, require

NAMESPACE = "kube-system"
TIMEOUT = 10
"""Seconds that one question may take."""

TAIL = 200
"""Lines of a log that are read."""

_OTHERS = {"coredns": "coredns", "metrics-server": "metrics-server"}


def connect(kubeconfig: str = "", context: str = "", given: Mapping[str, Any] | None = None) -> Any:
    """A client by kubeconfig, or by one that is `given`; raises UsageFailure where there is none."""
    require("kubernetes", what="asking the Kubernetes API", extra="kubernetes")
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    settings = client.Configuration()
    settings.retries = 1
    try:
        if given is not None:
            load: Any = config.load_kube_config_from_dict
            load(dict(given), context or None, settings)
        else:
            load = config.load_kube_config
            load(kubeconfig or None, context or None, client_configuration=settings, persist_config=False)
    except (ConfigException, OSError, TypeError, ValueError) as error:
        raise UsageFailure(
            f"the Kubernetes API cannot be asked: {first_line(error)}: run `az aks get-credentials`, name a file with `--kubeconfig`, or leave it out with `--no-kubernetes`"
        ) from None
    return client.ApiClient(settings)


def look(api: Any) -> Seen:
    """Everything about the tunnel that the API shows."""
    from kubernetes import client

    core, seen = client.CoreV1Api(api), Seen()
    networking, discovery = client.NetworkingV1Api(api), client.DiscoveryV1Api(api)
    wait: dict[str, Any] = {"_request_timeout": TIMEOUT}
    of_api_server: dict[str, Any] = {"label_selector": "kubernetes.io/service-name=kubernetes", **wait}
    pods = _ask(seen, "pods", lambda: core.list_namespaced_pod(NAMESPACE, **wait).items)
    events = _ask(seen, "events", lambda: core.list_namespaced_event(NAMESPACE, limit=1000, **wait).items)
    policies = _ask(
        seen, "network policies", lambda: networking.list_namespaced_network_policy(NAMESPACE, **wait).items
    )
    nodes = _ask(seen, "nodes", lambda: core.list_node(**wait).items)
    slices = _ask(
        seen,
        "the API server's address",
        lambda: discovery.list_namespaced_endpoint_slice("default", **of_api_server).items,
    )
    seen.pods = [_pod(one, part, events, policies) for one in pods if (part := _part(one))]
    seen.nodes = [_node(one) for one in nodes]
    endpoints = (endpoint for one in slices for endpoint in one.endpoints or ())
    seen.api_addresses = sorted({address for one in endpoints for address in one.addresses or ()})
    return seen


def pod_logs(api: Any, pods: Sequence[PodSeen]) -> tuple[list[str], list[str]]:
    """The last lines of pods' logs, and why some could not be had: the very error of `kubectl logs`."""
    from kubernetes import client

    core, lines, failures = client.CoreV1Api(api), [], []
    for pod in pods:
        try:
            said = core.read_namespaced_pod_log(
                pod.name, NAMESPACE, tail_lines=TAIL, _request_timeout=TIMEOUT
            )
        except Exception as error:  # noqa: BLE001 - whatever the client raises is an answer here
            failures.append(f"logs of {pod.name}: {_said(error)}")
            continue
        lines += [f"{pod.name}: {line}" for line in reversed(str(said or "").splitlines()) if line.strip()]
    return lines, failures


def _ask(seen: Seen, what: str, question: Callable[[], list[Any]]) -> list[Any]:
    try:
        return list(question() or ())
    except Exception as error:  # noqa: BLE001 - whatever the client raises is an answer here
        seen.failures.append(f"{what}: {_said(error)}")
        return []


def _said(error: Exception) -> str:
    """Why a question had no answer: the server's own words where it has some."""
    import json

    body = getattr(error, "body", None)
    status = getattr(error, "status", None)
    try:
        message = json.loads(body)["message"] if body else ""
    except (ValueError, KeyError, TypeError):
        message = ""
    return f"{f'HTTP {status}: ' if status else ''}{first_line(message or getattr(error, 'reason', '') or error)}"[
        :400
    ]


def _part(pod: Any) -> str:
    name, labels = pod.metadata.name or "", pod.metadata.labels or {}
    if name.startswith("konnectivity-agent-autoscaler"):
        return ""
    for part, (prefix, label) in TUNNEL_PODS.items():
        if name.startswith(f"{prefix}-") or labels.get("app") == label:
            return part
    return next(
        (
            part
            for prefix, part in _OTHERS.items()
            if name.startswith(f"{prefix}-") and "autoscaler" not in name
        ),
        "",
    )


def _pod(pod: Any, part: str, events: Sequence[Any], policies: Sequence[Any]) -> PodSeen:
    statuses = list(pod.status.container_statuses or ())
    own = [
        one
        for one in events
        if (one.involved_object.name or "") == pod.metadata.name and one.type != "Normal"
    ]
    return PodSeen(
        name=pod.metadata.name,
        part=part,
        node=pod.spec.node_name or "",
        phase=pod.status.phase or "",
        ready=bool(statuses) and all(one.ready for one in statuses),
        restarts=sum(one.restart_count or 0 for one in statuses),
        reasons=_distinct([*_reasons(pod, statuses), *(one.reason for one in own if one.reason)]),
        events=_distinct(f"{one.reason}: {first_line(one.message or '')}" for one in own),
        policies=tuple(
            sorted(
                one.metadata.name
                for one in policies
                if _selects(one.spec.pod_selector, pod.metadata.labels or {})
            )
        ),
    )


def _reasons(pod: Any, statuses: Iterable[Any]) -> Iterable[str]:
    for one in pod.status.conditions or ():
        if one.status == "False" and one.reason and one.type == "PodScheduled":
            yield one.reason
    if pod.status.reason:
        yield pod.status.reason
    for one in statuses:
        for state in (one.state, one.last_state):
            for moment in (getattr(state, "waiting", None), getattr(state, "terminated", None)):
                if moment is not None and moment.reason and moment.reason != "Completed":
                    yield moment.reason


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a selector takes a pod in; expressions are followed as Kubernetes does."""
    wanted = (selector.match_labels or {}) if selector else {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    for one in (selector.match_expressions or ()) if selector else ():
        there, values = labels.get(one.key), one.values or ()
        held = {
            "In": there in values,
            "NotIn": there not in values,
            "Exists": there is not None,
            "DoesNotExist": there is None,
        }
        if not held.get(one.operator, True):
            return False
    return True


def _node(node: Any) -> NodeSeen:
    conditions = list(node.status.conditions or ())
    problems = [
        f"{one.type}: {first_line(one.message or one.reason or one.status)}"
        for one in conditions
        if one.status != ("True" if one.type == "Ready" else "False")
    ]
    return NodeSeen(
        name=node.metadata.name,
        ready=any(one.type == "Ready" and one.status == "True" for one in conditions),
        problems=tuple(sorted(problems)),
        addresses=tuple(one.address for one in node.status.addresses or () if one.type == "InternalIP"),
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
