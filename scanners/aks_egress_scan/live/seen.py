"""What the Kubernetes API shows of a tunnel: pods, nodes, policies, and what it refused to say."""

from __future__ import annotations

from aks_egress.records import field, record

#: tunnel -> how its pods are called and labelled in `kube-system`
TUNNEL_PODS = {
    "konnectivity": ("konnectivity-agent", "konnectivity-agent"),
    "aks-link": ("aks-link", "aks-link"),
    "tunnelfront": ("tunnelfront", "tunnelfront"),
}
#: reasons that a pod has by itself, whatever the network does
OWN_TROUBLE = frozenset(
    {
        "CreateContainerConfigError",
        "ErrImagePull",
        "Evicted",
        "FailedMount",
        "FailedScheduling",
        "ImagePullBackOff",
        "InvalidImageName",
        "OOMKilled",
        "Unschedulable",
    }
)


@record(frozen=True, slots=True, kw_only=True)
class PodSeen:
    """One pod; `part` is its tunnel, `coredns` or `metrics-server`, `reasons` are Kubernetes' own words."""

    name: str
    part: str
    node: str = ""
    phase: str = ""
    ready: bool = False
    restarts: int = 0
    reasons: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()

    @property
    def own_trouble(self) -> bool:
        """Whether it has a trouble that no network causes."""
        return bool(OWN_TROUBLE & set(self.reasons))


@record(frozen=True, slots=True, kw_only=True)
class NodeSeen:
    """One node; `problems` are conditions that should not be so, as `Type: message`."""

    name: str
    ready: bool
    problems: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@record(slots=True, kw_only=True)
class Seen:
    """Everything that was seen.  `failures` say which questions had no answer, and why."""

    pods: list[PodSeen] = field(default_factory=list)
    nodes: list[NodeSeen] = field(default_factory=list)
    api_addresses: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    asked: bool = True

    def of(self, part: str) -> list[PodSeen]:
        """The pods of a part."""
        return [one for one in self.pods if one.part == part]

    @property
    def tunnels(self) -> list[str]:
        """The tunnels whose pods run, in the order of `TUNNEL_PODS`."""
        return [name for name in TUNNEL_PODS if self.of(name)]

    @property
    def tunnel_pods(self) -> list[PodSeen]:
        """The pods of every tunnel."""
        return [one for one in self.pods if one.part in TUNNEL_PODS]

    @property
    def listed(self) -> bool:
        """Whether the pods were listed, so that none means none."""
        return self.asked and not any(one.startswith("pods") for one in self.failures)


@record(frozen=True, slots=True, kw_only=True)
class LogsSeen:
    """Lines of tunnel pods' logs, the newest first, and where they came from; `failures` say why there are none."""

    source: str = ""
    lines: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
