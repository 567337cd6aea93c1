"""What the Kubernetes API shows of a tunnel: pods, nodes, policies, calls through it, and what it refused to say."""

from __future__ import annotations

from aks_egress.records import field, record

#: tunnel -> how its pods are called, and the label (name, value) that they have in `kube-system`
TUNNEL_PODS = {
    "konnectivity": ("konnectivity-agent", ("app", "konnectivity-agent")),
    "aks-link": ("aks-link", ("app", "aks-link")),
    "tunnelfront": ("tunnelfront", ("component", "tunnel")),
}
#: reasons that a pod has by itself, whatever the network does
OWN_TROUBLE = frozenset(
    {
        "CreateContainerConfigError",
        "Evicted",
        "FailedMount",
        "FailedScheduling",
        "InvalidImageName",
        "OOMKilled",
        "Unschedulable",
    }
)
#: reasons that a pod has when its image does not come: the network may be why
NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff"})


@record(frozen=True, slots=True, kw_only=True)
class PodSeen:
    """One pod; `part` is its tunnel, `coredns`, `metrics-server` or empty, `reasons` are Kubernetes' own words.

    `policies` are the network policies that select it; with `cut_off` they let nothing out of it at all,
    with `narrowed` only some things.  `over` says that it is a remainder: ended, evicted or on its way out.
    """

    name: str
    part: str = ""
    node: str = ""
    phase: str = ""
    container: str = ""
    ready: bool = False
    restarts: int = 0
    reasons: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    cut_off: bool = False
    narrowed: bool = False
    over: bool = False

    @property
    def own_trouble(self) -> bool:
        """Whether it has a trouble that no network causes."""
        return bool(OWN_TROUBLE & set(self.reasons))

    @property
    def no_image(self) -> bool:
        """Whether it waits for its image."""
        return bool(NO_IMAGE & set(self.reasons))


@record(frozen=True, slots=True, kw_only=True)
class NodeSeen:
    """One node; `problems` are conditions that should not be so, as `Type: message`.

    `blocked` is what the node's own check of its egress says, empty where it says nothing; `group` is the
    resource group that AKS made for the nodes of its cluster.
    """

    name: str
    ready: bool
    problems: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    pool: str = ""
    blocked: str = ""
    group: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Call:
    """One log call, which goes through the tunnel: to the node of a pod.

    `outcome` is through, failed, or untold where the answer says nothing about the tunnel (a refusal by the
    API server itself); `said` is the error.
    """

    pod: str
    node: str
    outcome: str
    said: str = ""


@record(slots=True, kw_only=True)
class Seen:
    """Everything that was seen.  `failures` say which questions had no answer, and why.

    `pods` are those of the tunnels, CoreDNS and metrics-server, `others` the rest of `kube-system`; `listed`
    says that the pods were listed, so that none means none; `host` is where the API was asked.
    """

    pods: list[PodSeen] = field(default_factory=list)
    others: list[PodSeen] = field(default_factory=list)
    nodes: list[NodeSeen] = field(default_factory=list)
    api_addresses: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    listed: bool = False
    host: str = ""

    def of(self, part: str) -> list[PodSeen]:
        """The pods of a part that are not over."""
        return [one for one in self.pods if one.part == part and not one.over]

    @property
    def tunnels(self) -> list[str]:
        """The tunnels whose pods run; those with a ready pod first, then in the order of `TUNNEL_PODS`."""
        there = [name for name in TUNNEL_PODS if self.of(name)]
        return sorted(there, key=lambda name: not any(one.ready for one in self.of(name)))

    @property
    def tunnel_pods(self) -> list[PodSeen]:
        """The pods of every tunnel that are not over."""
        return [one for name in TUNNEL_PODS for one in self.of(name)]

    @property
    def through(self) -> list[Call]:
        """The calls that got through the tunnel."""
        return [one for one in self.calls if one.outcome == "through"]

    @property
    def failed(self) -> list[Call]:
        """The calls that the tunnel did not carry."""
        return [one for one in self.calls if one.outcome == "failed"]

    @property
    def works(self) -> bool:
        """Whether the tunnel carries everything that was tried, and something was."""
        return bool(self.through) and not self.failed

    @property
    def agents_on(self) -> set[str]:
        """The nodes that agents are on."""
        return {one.node for one in self.tunnel_pods if one.node}

    @property
    def across(self) -> bool:
        """Whether a call got through to a node without an agent, or there is no such node."""
        rest = {one.node for one in (*self.pods, *self.others) if one.node and not one.over}
        rest = (rest | {one.name for one in self.nodes}) - self.agents_on
        return not rest or any(one.node in rest for one in self.through)

    @property
    def agents_heard(self) -> bool:
        """Whether the log of every agent that was asked for came, if only to say nothing."""
        agents = {one.name for one in self.tunnel_pods}
        asked = [one for one in self.calls if one.pod in agents]
        return bool(asked) and all(one.outcome == "through" for one in asked)

    def node(self, name: str) -> NodeSeen | None:
        """The node that is called or addressed so."""
        wanted = name.casefold()
        return next(
            (one for one in self.nodes if wanted == one.name.casefold() or name in one.addresses), None
        )


@record(frozen=True, slots=True, kw_only=True)
class LogsSeen:
    """Lines of tunnel pods' logs, the newest first, and where they came from; `failures` say why there are none.

    `until` is when the newest line was written, where that is known.
    """

    source: str = ""
    until: str = ""
    lines: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
