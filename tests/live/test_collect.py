"""Collecting through the real SDK clients, over HTTP, from a server that answers as Azure does."""

from __future__ import annotations

import copy
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from examples.expectations import Example
from tests.generate.snapshots import FOLDER, SUBSCRIPTION, TAKEN, VERSION, deployed
from tests.live.azure import Azure, running

from aks_egress.arm.resources import Document, Kind
from aks_egress.engine import judge
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Report
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.collect import Scope, collect
from aks_egress_scan.live.journal import Journal
from aks_egress_scan.live.progress import Progress
from aks_egress_scan.live.snapshot import Snapshot, render
from aks_egress_scan.readers.json_text import JsonText
from aks_egress_scan.readers.snapshot import document_of

Json = dict[str, Any]
EXAMPLE = Example(FOLDER)
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-spoke/providers"
NETWORK = f"{GROUP}/Microsoft.Network/virtualNetworks/vnet-spoke"
SCHEMA = Path(__file__).parents[2] / "scanners/aks_egress_scan/live/snapshot.schema.json"
CLUSTER = f"{GROUP}/Microsoft.ContainerService/managedClusters/aks-shop"


def azure(variant: str = "sound", **options: Any) -> Azure:
    return Azure(copy.deepcopy(deployed(EXAMPLE, variant)), **options)


def picture(cloud: Azure, scope: Scope | None = None, **options: Any) -> Snapshot:
    with running(cloud) as session:
        return collect(session, scope or Scope(), **options)


def document(snapshot: Snapshot) -> Document:
    return document_of(JsonText("live", render(snapshot, VERSION, TAKEN)), Kind.LIVE)


def judged(snapshot: Snapshot) -> Report:
    return judge([document(snapshot)], Settings(), ServiceTags())


def tunnel(snapshot: Snapshot) -> Verdict:
    (cluster,) = judged(snapshot).clusters
    return cluster.tunnel.verdict


@pytest.mark.parametrize("variant", EXAMPLE.variants)
def test_what_is_collected_is_the_snapshot_of_the_example(variant: str) -> None:
    """Over HTTP and through the SDKs, the same bytes as in `examples/`."""
    snapshot = picture(azure(variant))
    assert snapshot.unread == []
    assert list(snapshot.dependencies) == [CLUSTER]
    snapshot.dependencies.clear()  # the example's clusters never ran, so nobody asked them
    assert render(snapshot, VERSION, TAKEN) == Path(FOLDER, "snapshot", f"{variant}.json").read_bytes()


def test_every_page_is_read() -> None:
    cloud = azure(page=2)
    assert set(picture(cloud).resources) == set(picture(azure()).resources)
    assert cloud.counts["graph"] > 5


def test_a_throttled_question_is_asked_again_after_the_time_it_was_told() -> None:
    cloud = azure()
    cloud.throttled, cloud.retry_after = 2, "1"
    assert len(picture(cloud).resources) == len(picture(azure()).resources)


def test_an_empty_quota_is_waited_for() -> None:
    """`x-ms-user-quota-remaining: 0` makes the next query wait instead of being refused."""
    from aks_egress_scan.live.graph_query import ResourceGraph

    cloud, waited = azure(), []
    cloud.quota, cloud.resets = "0", "00:00:02"
    with running(cloud) as session:
        graph = ResourceGraph(session.graph(), lambda done, total: None, waited.append)
        rows = list(graph.rows("resources | where type =~ 'microsoft.network/networksecuritygroups'"))
        assert len(rows) == 2
        list(graph.rows("resources | where type =~ 'microsoft.network/routetables'"))
    assert waited == [2.0]


def test_a_group_that_may_not_be_read_is_undecided_and_says_what_to_grant() -> None:
    """Resource Graph leaves it out without a word; asked for by itself it is refused."""
    cloud = azure()
    group = f"{GROUP}/Microsoft.Network/networkSecurityGroups/nsg-system"
    cloud.hidden, cloud.refused = {group.casefold()}, ["networkSecurityGroups"]
    snapshot = picture(cloud)
    (refused,) = snapshot.unread
    assert refused.permission == "Microsoft.Network/networkSecurityGroups/read"
    assert refused.grant.startswith("az role assignment create")
    assert SUBSCRIPTION in refused.grant
    assert tunnel(snapshot) is Verdict.UNKNOWN
    said = [one.message for one in judged(snapshot).findings]
    assert any("Microsoft.Network/networkSecurityGroups/read" in one for one in said)


def test_what_resource_graph_lacks_is_asked_for_by_itself() -> None:
    """The rules of a firewall policy, where their table gave nothing."""
    cloud = azure()
    policy = next(one for one in cloud.resources.values() if one["type"].endswith("/firewallPolicies"))
    groups = [key for key in cloud.resources if "/rulecollectiongroups/" in key]
    policy["properties"]["ruleCollectionGroups"] = [{"id": cloud.resources[key]["id"]} for key in groups]
    cloud.hidden = set(groups)
    snapshot = picture(cloud)
    assert set(groups) <= set(snapshot.resources)
    assert tunnel(snapshot) is Verdict.OPEN


def test_rules_of_a_firewall_that_may_not_be_read_decide_nothing() -> None:
    cloud = azure()
    policy = next(one for one in cloud.resources.values() if one["type"].endswith("/firewallPolicies"))
    groups = [key for key in cloud.resources if "/rulecollectiongroups/" in key]
    policy["properties"]["ruleCollectionGroups"] = [{"id": cloud.resources[key]["id"]} for key in groups]
    cloud.hidden, cloud.refused = set(groups), ["/ruleCollectionGroups/"]
    assert tunnel(picture(cloud)) is Verdict.UNKNOWN


def test_a_resource_that_vanishes_meanwhile_is_undecided() -> None:
    cloud = azure()
    table = f"{GROUP}/Microsoft.Network/routeTables/rt-spoke"
    cloud.hidden, cloud.gone = {table.casefold()}, ["routeTables"]
    snapshot = picture(cloud)
    assert [(one.id, one.why[:31]) for one in snapshot.unread] == [(table, "it is not there any more (HTTP ")]
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_admin_rules_in_effect_decide_before_security_groups() -> None:
    cloud = azure()
    manager = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network/networkManagers/m"
    )
    cloud.admin_rules[NETWORK.casefold()] = [
        {
            "id": f"{manager}/securityAdminConfigurations/c/ruleCollections/rc/rules/deny-web",
            "kind": "Custom",
            "properties": {
                "access": "Deny",
                "direction": "Outbound",
                "priority": 10,
                "protocol": "Tcp",
                "sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
                "destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
                "sourcePortRanges": ["0-65535"],
                "destinationPortRanges": ["443"],
            },
            "ruleCollectionAppliesToGroups": [{"networkGroupId": f"{manager}/networkGroups/all"}],
            "ruleGroups": [{"id": f"{manager}/networkGroups/all"}],
        }
    ]
    snapshot = picture(cloud)
    assert tunnel(snapshot) is Verdict.BLOCKED
    (cluster,) = judged(snapshot).clusters
    deciders = {hop.rule for flow in cluster.flows for hop in flow.path if hop.hop == "admin-rule"}
    assert deciders == {"deny-web"}


def test_admin_rules_that_may_not_be_read_leave_the_walk_undecided() -> None:
    """Resource Graph says that another team's rules are in effect; nobody could look at them."""
    cloud = azure()
    in_effect = f"{NETWORK}/providers/Microsoft.Network/effectiveSecurityAdminRules/default"
    cloud.resources[in_effect.casefold()] = {
        "id": in_effect,
        "type": "microsoft.network/effectivesecurityadminrules",
        "properties": {"EffectiveSecurityAdminConfigurations": [{"id": "c"}]},
    }
    cloud.refused = ["listNetworkManagerEffectiveSecurityAdminRules"]
    snapshot = picture(cloud)
    assert "listNetworkManagerEffectiveSecurityAdminRules" in snapshot.unread[0].permission
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_readers_learn_from_resource_graph_that_no_admin_rules_are_in_effect() -> None:
    """Reader rights hold no right to ask for the rules; that is said once, and the walk goes on."""
    cloud = azure()
    cloud.refused = ["listNetworkManagerEffectiveSecurityAdminRules"]
    snapshot = picture(cloud)
    assert [one.id for one in snapshot.unread] == [f"/subscriptions/{SUBSCRIPTION}"]
    assert tunnel(snapshot) is Verdict.OPEN


def test_a_provider_that_is_not_registered_is_named() -> None:
    cloud = azure()
    cloud.unregistered = ["outboundNetworkDependenciesEndpoints"]
    (one,) = picture(cloud).unread
    assert one.grant == "az provider register --namespace Microsoft.ContainerService"


def test_endpoints_that_the_catalogue_does_not_know_are_said() -> None:
    cloud = azure()
    cloud.dependencies = [
        {
            "category": "images",
            "endpoints": [
                {"domainName": "mcr.microsoft.com", "endpointDetails": [{"port": 443}]},
                {"domainName": "new.example.net", "endpointDetails": [{"port": 8443}]},
            ],
        }
    ]
    snapshot = picture(cloud)
    assert list(snapshot.dependencies) == [CLUSTER]
    notes = " ".join(judged(snapshot).notes)
    assert "`new.example.net:8443`): one of the two is stale" in notes
    assert "`mcr.microsoft.com:443`" not in notes
    lacking = notes.partition("own list of endpoints lacks ")[2]
    assert "`login.microsoftonline.com`" in lacking
    assert "one of the two is stale" in lacking
    assert "`mcr.microsoft.com`" not in lacking


def test_isolated_clusters_need_not_list_what_others_need() -> None:
    cloud = azure()
    listed = {"domainName": "own.azurecr.io", "endpointDetails": [{"port": 443}]}
    cloud.dependencies = [{"category": "images", "endpoints": [listed]}]
    assert "own list of endpoints lacks" in " ".join(judged(picture(cloud)).notes)
    properties = cloud.resources[CLUSTER.casefold()]["properties"]
    properties["bootstrapProfile"] = {"artifactSource": "Cache"}
    assert "own list of endpoints lacks" not in " ".join(judged(picture(cloud)).notes)


def test_half_an_answer_is_no_answer() -> None:
    cloud = azure()
    cloud.broken = {"outboundNetworkDependenciesEndpoints": 99}
    (one,) = picture(cloud).unread
    assert one.id == CLUSTER
    assert one.why.startswith("it could not be read")


def test_half_an_answer_about_networks_decides_nothing() -> None:
    """Everything that was missing is asked for by itself; what cannot be is undecided."""
    cloud = azure()

    def break_second(path: str) -> None:
        if "resourcegraph" in path and cloud.counts["graph"] == 1:
            cloud.broken["resourcegraph"] = 99

    cloud.on_request = break_second
    snapshot = picture(cloud)
    assert NETWORK.casefold() in snapshot.resources
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_a_query_whose_count_does_not_fit_is_asked_once_more() -> None:
    """Something came or went between two pages."""
    cloud = azure(page=4)
    plain = azure(page=4)
    picture(plain)
    cloud.miscounted = 1
    assert tunnel(picture(cloud)) is Verdict.OPEN
    assert cloud.counts["graph"] > plain.counts["graph"]


def test_a_query_whose_count_never_fits_is_no_answer() -> None:
    cloud = azure()
    cloud.miscounted = 2
    snapshot = picture(cloud)
    assert any("no way to the rest" in one.why for one in snapshot.unread)
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_an_answer_of_another_shape_is_no_answer() -> None:
    cloud = azure()
    cloud.admin_rules[NETWORK.casefold()] = ["odd"]  # type: ignore[list-item]
    snapshot = picture(cloud)
    assert [one.id for one in snapshot.unread] == [NETWORK]
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_a_slow_page_is_waited_for() -> None:
    cloud = azure()
    cloud.slow = {"resourcegraph": 0.3}
    assert tunnel(picture(cloud)) is Verdict.OPEN


def test_clusters_that_cannot_be_listed_end_the_run() -> None:
    cloud = azure()
    cloud.refused = ["resourcegraph"]
    with pytest.raises(UsageFailure, match="the clusters cannot be listed"):
        picture(cloud)


def test_a_scope_follows_references_into_other_subscriptions() -> None:
    """The spoke's subscription was named; the hub lives in another one."""
    cloud = azure()
    other = SUBSCRIPTION[:-4] + "beef"
    hub, moved = f"{SUBSCRIPTION}/resourceGroups/rg-hub", f"{other}/resourceGroups/rg-hub"
    cloud = Azure(json.loads(json.dumps(list(cloud.resources.values())).replace(hub, moved)))
    snapshot = picture(cloud, Scope(subscriptions=(SUBSCRIPTION,)))
    assert tunnel(snapshot) is Verdict.OPEN
    assert [one.get("subscriptions") for one in cloud.bodies[-3:]] == [[other]] * 3


def test_the_number_of_queries_does_not_grow_with_the_clusters() -> None:
    """One lists the clusters, three the rest; each has a page for every thousand rows."""
    cloud = azure()
    row = cloud.resources[CLUSTER.casefold()]
    for number in range(60):
        other = copy.deepcopy(row)
        other["id"] = CLUSTER.replace(SUBSCRIPTION, f"{SUBSCRIPTION[:-4]}{number:04}")
        cloud.resources[other["id"].casefold()] = other
    snapshot = picture(cloud)
    assert len(snapshot.of("microsoft.containerservice/managedclusters")) == 61
    assert cloud.counts["graph"] == 4
    assert len(cloud.asked) == 4 + 61 + 1  # each cluster's endpoints, and the admin rules of the one network


def test_a_query_names_no_more_subscriptions_than_azure_takes() -> None:
    cloud = azure()
    named = [SUBSCRIPTION, *(f"{SUBSCRIPTION[:-4]}{number:04}" for number in range(649))]
    assert tunnel(picture(cloud, Scope(subscriptions=tuple(named)))) is Verdict.OPEN
    asked: dict[str, list[str]] = {}
    sizes: dict[str, list[int]] = {}
    for one in cloud.bodies:
        asked.setdefault(one["query"], []).extend(one["subscriptions"])
        sizes.setdefault(one["query"], []).append(len(one["subscriptions"]))
    assert len(sizes) == 5
    assert all(one == [300, 300, 50] for one in sizes.values())
    assert all(sorted(one) == sorted(named) for one in asked.values())


def test_clusters_of_one_resource_group() -> None:
    """With the networks that they need, in other groups."""
    cloud = azure()
    extra = copy.deepcopy(cloud.resources[CLUSTER.casefold()])
    extra["id"] = CLUSTER.replace("rg-spoke", "rg-other")
    cloud.resources[extra["id"].casefold()] = extra
    snapshot = picture(cloud, Scope(resource_groups=("RG-Other",)))
    assert [one["id"] for one in snapshot.of("microsoft.containerservice/managedclusters")] == [extra["id"]]
    assert tunnel(snapshot) is Verdict.OPEN


def test_no_more_questions_are_asked_side_by_side_than_there_are_workers() -> None:
    cloud = azure()
    row = cloud.resources[CLUSTER.casefold()]
    for number in range(12):
        cloud.resources[f"{CLUSTER}{number}".casefold()] = {**row, "id": f"{CLUSTER}{number}"}
    lock, running_now, most = threading.Lock(), [0], [0]

    def counted(path: str, _: bytes) -> None:
        with lock:
            running_now[0] += 1
            most[0] = max(most[0], running_now[0])
        time.sleep(0.05)
        with lock:
            running_now[0] -= 1

    cloud.odd = counted
    picture(cloud, workers=3)
    assert most == [3]


def test_the_order_of_azures_answers_changes_no_byte() -> None:
    cloud, shuffled = azure(), azure()
    rows = list(shuffled.resources.items())
    shuffled.resources = dict(reversed(rows))
    straight = shuffled.rows
    shuffled.rows = lambda *asked: straight(*asked)[::-1]  # type: ignore[method-assign]
    shuffled.on_request = lambda path: time.sleep(0.03 if "outbound" in path else 0)
    one, other = (document_bytes(picture(here, workers=n)) for here, n in ((cloud, 1), (shuffled, 4)))
    assert one == other


def document_bytes(snapshot: Snapshot) -> bytes:
    return render(snapshot, VERSION, TAKEN)


def test_one_cluster_by_its_name() -> None:
    cloud = azure()
    extra = copy.deepcopy(cloud.resources[CLUSTER.casefold()])
    extra["id"], extra["name"] = CLUSTER + "-two", "aks-shop-two"
    cloud.resources[extra["id"].casefold()] = extra
    snapshot = picture(cloud, Scope(clusters=("AKS-shop",)))
    assert [one["id"] for one in snapshot.of("microsoft.containerservice/managedclusters")] == [CLUSTER]


def test_an_interrupted_collection_goes_on(tmp_path: Path) -> None:
    """Ctrl-C while pieces are asked for one by one: what was found is not asked for again."""
    file = str(tmp_path / "out.json.partial")
    cloud = azure()
    progress = Interrupting("details")
    with running(cloud) as session:
        with pytest.raises(KeyboardInterrupt):
            collect(session, Scope(), journal=Journal(file, "key"), progress=progress)
        asked = cloud.counts["graph"]
        snapshot = collect(session, Scope(), journal=Journal(file, "key"))
    assert asked > 2
    assert cloud.counts["graph"] == asked
    assert CLUSTER in snapshot.dependencies


class Interrupting(Progress):
    """Somebody presses Ctrl-C at the first step of some work."""

    def __init__(self, what: str) -> None:
        super().__init__(quiet=True)
        self.what, self.now = what, ""

    def begin(self, what: str, done: int = 0) -> None:
        self.now = what
        super().begin(what, done)

    def step(self, done: int, total: int) -> None:
        if self.now == self.what:
            raise KeyboardInterrupt


def test_what_was_refused_is_asked_for_again(tmp_path: Path) -> None:
    file = str(tmp_path / "out.json.partial")
    cloud = azure()
    cloud.refused = ["outboundNetworkDependenciesEndpoints"]
    with running(cloud) as session:
        first = collect(session, Scope(), journal=Journal(file, "key"))
        cloud.refused = []
        second = collect(session, Scope(), journal=Journal(file, "key"))
    assert [one.id for one in first.unread] == [CLUSTER]
    assert second.unread == []
    assert CLUSTER in second.dependencies


def test_another_collection_does_not_take_over_what_was_found(tmp_path: Path) -> None:
    file = str(tmp_path / "x.partial")
    Journal(file, "one").keep("piece", {"resources": []})
    assert "piece" in Journal(file, "one")
    assert "piece" not in Journal(file, "two")


def test_a_snapshot_with_everything_in_it_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    cloud = azure()
    cloud.dependencies = [
        {
            "category": "images",
            "endpoints": [{"domainName": "a.example", "endpointDetails": [{"port": 443}]}],
        }
    ]
    cloud.refused = ["listNetworkManagerEffectiveSecurityAdminRules"]
    snapshot = picture(cloud, Scope(subscriptions=(SUBSCRIPTION,), clusters=("aks-shop",)))
    snapshot.effective["/x"] = {"rules": [], "routes": []}
    schema = json.loads(SCHEMA.read_bytes())
    jsonschema.validate(json.loads(render(snapshot, VERSION, TAKEN)), schema)
