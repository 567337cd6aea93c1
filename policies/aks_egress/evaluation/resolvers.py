"""An Azure Firewall that clients ask for names: it answers only where its DNS proxy is on.

Facts F16, F21, F22 (Microsoft: firewall/dns-settings, firewall/features-by-sku).
"""

from __future__ import annotations

from aks_egress.evaluation.demand import Action, Decider
from aks_egress.evaluation.hops import Hops
from aks_egress.evaluation.outbound import Start
from aks_egress.evaluation.routes import Way
from aks_egress.evaluation.traces import Trace
from aks_egress.packets.addresses import spell
from aks_egress.packets.intervals import IntervalSet
from aks_egress.topology.firewalls import Firewall
from aks_egress.values import Unknown

DNS = IntervalSet.single(53)


def asked_for_names(hops: Hops, start: Start, trace: Trace) -> Trace | None:
    """What becomes of questions for names that are sent to a firewall itself; None for any other packets."""
    box = trace.box
    if box.destination.size != 1 or box.port != DNS or start.subnet.near is None:
        return None
    owners = hops.owners(spell(box.destination.first), start.subnet.near)
    firewalls = [one.resource for one in owners if one.resource is not None and one.is_firewall]
    if not firewalls or len(firewalls) < len(owners):
        return None
    return trace.then(box, tuple(_answer(hops.topology.firewall(one)) for one in firewalls))


def led_to_itself(way: Way, trace: Trace) -> bool:
    """Whether a route leads packets to the very address that they are meant for."""
    target = trace.box.destination
    return (
        way.route is not None and target.size == 1 and list(way.route.hop_addresses) == [spell(target.first)]
    )


def _answer(firewall: Firewall) -> Decider:
    proxy = firewall.dns_proxy
    settle, action = "", Action.ALLOW
    if firewall.tier == "basic":
        action, why = Action.DENY, f"firewall `{firewall.label}` is of the Basic tier, which has no DNS proxy"
    elif isinstance(proxy, Unknown):
        action, settle = Action.UNKNOWN, proxy.settle
        why = f"whether firewall `{firewall.label}` answers questions for names is not known: {proxy.why}"
    elif not proxy:
        action = Action.DENY
        why = f"firewall `{firewall.label}` has its DNS proxy off, so it answers no questions for names"
    else:
        why = f"the DNS proxy of firewall `{firewall.label}` answers"
    _, origin = firewall.setting("dnsSettings", "enableProxy")
    return Decider(
        hop="firewall",
        resource=firewall.label,
        name="DNS proxy",
        action=action,
        reason=why,
        resource_id=str(firewall.resource.id),
        origin=origin,
        settle=settle,
    )
