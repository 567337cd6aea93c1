"""Bad days of Azure, over HTTP and through the real SDK clients: never a traceback, never a false open."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from azure.core.exceptions import ClientAuthenticationError
from tests.generate.snapshots import SUBSCRIPTION
from tests.live.azure import Azure, Odd, running, session_with
from tests.live.test_collect import CLUSTER, GROUP, NETWORK, azure, judged, picture, tunnel

from aks_egress.evaluation.verdicts import Verdict
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.collect import Scope, collect
from aks_egress_scan.live.snapshot import Snapshot

Json = dict[str, Any]
Answers = Callable[[str, bytes], Odd | None]
NETWORK_ID = NETWORK.replace("vnet-spoke", "odd").lower()


def error(code: str) -> Json:
    return {"error": {"code": code, "message": f"{code} it is."}}


def graph(path: str) -> bool:
    return "resourcegraph" in path


def details(path: str) -> bool:
    """The questions that are asked for one resource at a time."""
    return not graph(path)


def about(part: str) -> Callable[[str], bool]:
    return lambda path: part.casefold() in path


def always(which: Callable[[str], bool], odd: Odd, *, after: int = 0, times: int = 10_000) -> Answers:
    """This answer for such paths, after some good ones, so many times."""
    left = [after, times]

    def answer(path: str, _: bytes) -> Odd | None:
        if not which(path):
            return None
        if left[0] > 0:
            left[0] -= 1
            return None
        left[1] -= 1
        return odd if left[1] >= 0 else None

    return answer


def having(odd: Answers, **options: Any) -> Azure:
    cloud = azure(**options)
    cloud.odd = odd
    return cloud


def rows(*found: Any, **members: Any) -> Json:
    """An answer of Resource Graph."""
    count = len(found)
    answer = {"totalRecords": count, "count": count, "resultTruncated": "false", "data": list(found)}
    return answer | members


def reasons(snapshot: Snapshot) -> set[str]:
    return {one.why for one in snapshot.unread}


ODD = "its answer has another shape than Azure documents, or only a part of it came"
PASSING = {
    "429 that names no time, as Resource Graph sends it": (
        graph,
        Odd(429, error("RateLimiting"), x_ms_user_quota_remaining="0"),
    ),
    "502 of a gateway": (graph, Odd(502, b"bad gateway")),
    "503": (graph, Odd(503, error("ServiceUnavailable"))),
    "a connection that is reset in the middle of an answer": (graph, Odd(200, b" " * 5000, cut=100)),
    "half a JSON value": (graph, Odd(200, b'{"totalRecords": 1, "data": [')),
    "429 on a question that is a POST": (
        about("listNetworkManagerEffective"),
        Odd(429, error("TooManyRequests")),
    ),
    "429 with a time on a question that is a GET": (
        about("outboundNetworkDependencies"),
        Odd(429, error("TooManyRequests"), Retry_After="0"),
    ),
    "a GET whose connection is reset": (about("outboundNetworkDependencies"), Odd(200, b" " * 99, cut=9)),
}


@pytest.mark.parametrize("what", PASSING)
def test_what_passes_is_asked_again(what: str) -> None:
    which, odd = PASSING[what]
    cloud = having(always(which, odd, times=1))
    snapshot = picture(cloud)
    assert snapshot.unread == []
    assert snapshot.resources == picture(azure()).resources


LASTING = {
    "an empty object": (Odd(200, {}), ODD),
    "a list": (Odd(200, []), ODD),
    "null": (Odd(200, None), ODD),
    "a page of a proxy": (Odd(200, b"<html>sign in</html>", Content_Type="text/html"), ODD),
    "rows that are texts": (Odd(200, rows("x")), ODD),
    "rows without an id": (Odd(200, rows({"type": "microsoft.network/virtualnetworks"})), ODD),
    "rows whose properties are a text": (Odd(200, rows({"id": NETWORK_ID, "properties": "x"})), ODD),
    "a table": (Odd(200, rows(data={"columns": [], "rows": []})), ODD),
    "no count": (Odd(200, {"data": []}), ODD),
    "a count that does not fit": (Odd(200, rows(totalRecords=3)), "0 of 3 rows came"),
    "a result that is truncated": (Odd(200, rows(resultTruncated="true")), "no way to the rest"),
    "pages in a circle": (
        Odd(200, rows(**{"totalRecords": 9, "$skipToken": "same"})),
        "its pages lead round in a circle",
    ),
    "more subscriptions than it answers for": (
        Odd(200, rows(), x_ms_tenant_subscription_limit_hit="true"),
        "more than 10,000 subscriptions",
    ),
    "errors without end": (Odd(500, error("InternalServerError")), "(InternalServerError)"),
    "resets without end": (Odd(200, b" " * 99, cut=9), "the connection broke off"),
}


@pytest.mark.parametrize("what", LASTING)
def test_a_query_that_stays_broken_decides_nothing(what: str) -> None:
    odd, why = LASTING[what]
    snapshot = picture(having(always(graph, odd, after=1)))
    assert tunnel(snapshot) is Verdict.UNKNOWN
    assert [one for one in reasons(snapshot) if why not in one] == []
    assert "microsoft.network/effectivesecurityadminrules" in {one.kind for one in snapshot.unread}


@pytest.mark.parametrize("what", LASTING)
def test_clusters_that_stay_unlisted_end_the_run_with_a_reason(what: str) -> None:
    odd, why = LASTING[what]
    with pytest.raises(UsageFailure, match="the clusters cannot be listed") as failure:
        picture(having(always(graph, odd)))
    assert why in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("answer", [[], None, {}, {"value": None}, {"value": ["x"]}, "x"], ids=str)
def test_a_detail_of_another_shape_decides_nothing(answer: Any) -> None:
    snapshot = picture(having(always(details, Odd(200, answer))))
    assert tunnel(snapshot) is Verdict.UNKNOWN
    assert reasons(snapshot) == {f"it could not be read: {ODD}"}


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Odd(500, error("InternalServerError")), "HTTP 500: (InternalServerError)"),
        (Odd(200, b" " * 99, cut=9), "the connection broke off"),
        (Odd(204), "HTTP 204"),
    ],
    ids=["500", "reset", "204"],
)
def test_a_detail_that_stays_broken_decides_nothing(odd: Odd, why: str) -> None:
    snapshot = picture(having(always(details, odd)))
    assert tunnel(snapshot) is Verdict.UNKNOWN
    assert [one for one in reasons(snapshot) if why not in one] == []
    assert [one for one in reasons(snapshot) if "object at 0x" in one or "Error(" in one] == []


def test_pages_of_a_list_that_lead_round_end() -> None:
    def circle(path: str, _: bytes) -> Odd | None:
        if "outboundnetworkdependencies" not in path:
            return None
        where = f"{endpoint[0]}{path}?api-version=1"
        return Odd(200, {"value": [], "nextLink": where})

    endpoint = [""]
    with running(having(circle)) as session:
        endpoint[0] = session.endpoint
        snapshot = collect(session, Scope())
    assert reasons(snapshot) == {"it could not be read: its pages lead round in a circle"}


def test_pages_of_admin_rules_that_lead_round_decide_nothing() -> None:
    loop = Odd(200, {"value": [], "skipToken": "same"})
    snapshot = picture(having(always(about("listNetworkManagerEffective"), loop)))
    assert reasons(snapshot) == {"it could not be read: its pages lead round in a circle"}
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_rows_that_come_twice_do_not_hide_those_that_never_came() -> None:
    """The count fits, and a resource is missing: something moved between two pages."""
    cloud = azure(page=4)

    def doubled(path: str, body: bytes) -> Odd | None:
        asked = json.loads(body) if graph(path) else {}
        if "virtualnetworks" not in asked.get("query", "") or not asked["options"].get("$skipToken"):
            return None
        found = cloud.rows(asked["query"], asked.get("subscriptions"))
        return Odd(200, rows(*[found[0]] * (len(found) - 4), totalRecords=len(found)))

    cloud.odd = doubled
    snapshot = picture(cloud)
    assert any("rows came" in one for one in reasons(snapshot))
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_an_empty_page_with_a_way_on_is_not_the_end() -> None:
    cloud = azure()
    first = [True]

    def empty(path: str, body: bytes) -> Odd | None:
        asked = json.loads(body) if graph(path) else {}
        if "virtualnetworks" not in asked.get("query", "") or not first:
            return None
        first.clear()
        total = len(cloud.rows(asked["query"], None))
        return Odd(200, rows(**{"totalRecords": total, "$skipToken": "0"}))

    cloud.odd = empty
    assert picture(cloud).resources == picture(azure()).resources


def test_parts_of_resources_that_are_odd_end_no_run() -> None:
    """Lists where objects belong, and the other way round, deep inside: what they would say is not known."""
    cloud = azure()
    for row in cloud.resources.values():
        for name in row["properties"] if "managedClusters" not in row["id"] else ():
            row["properties"][name] = [None, "x", {"properties": "x"}, {"properties": {"subnet": "x"}}]
    assert tunnel(picture(cloud)) is Verdict.UNKNOWN


def test_pools_of_another_shape_end_no_run() -> None:
    cloud = azure()
    for odd in (None, "x", {}, [None], ["x"], [{"vnetSubnetID": 5, "podSubnetID": []}]):
        cloud.resources[CLUSTER.casefold()]["properties"]["agentPoolProfiles"] = odd
        cloud.resources[CLUSTER.casefold()]["properties"]["apiServerAccessProfile"] = odd
        assert judged(picture(cloud)).clusters


def test_a_token_that_ran_out_ends_the_run() -> None:
    """Nothing else would be answered, so going on would only pile up refusals."""
    for which in (graph, details):
        cloud = having(always(which, Odd(401, error("ExpiredAuthenticationToken")), after=1))
        with pytest.raises(ClientAuthenticationError):
            picture(cloud)


def test_a_subscription_of_another_tenant_is_undecided_and_no_role_mends_it() -> None:
    cloud = having(always(about("/routeTables/"), Odd(401, error("InvalidAuthenticationTokenTenant"))))
    cloud.hidden = {f"{GROUP}/Microsoft.Network/routeTables/rt-spoke".casefold()}
    snapshot = picture(cloud)
    (one,) = snapshot.unread
    assert "another tenant" in one.why
    assert "InvalidAuthenticationTokenTenant" in one.why
    assert one.grant == ""
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_a_named_subscription_that_resource_graph_leaves_out_is_refused() -> None:
    """Its clusters would go unjudged, and the others would make the audit a pass."""
    other = SUBSCRIPTION[:-4] + "beef"
    cloud = azure()
    cloud.unseen = {other}
    with pytest.raises(UsageFailure, match=other) as failure:
        picture(cloud, Scope(subscriptions=(SUBSCRIPTION, other)))
    assert f"--scope /subscriptions/{other}" in str(failure.value)
    assert SUBSCRIPTION not in str(failure.value)


def test_a_hub_in_a_subscription_that_resource_graph_leaves_out_is_undecided() -> None:
    """Everything that the spoke names there is asked for by itself, and refused."""
    other = SUBSCRIPTION[:-4] + "beef"
    hub, moved = f"{SUBSCRIPTION}/resourceGroups/rg-hub", f"{other}/resourceGroups/rg-hub"
    cloud = Azure(json.loads(json.dumps(list(azure().resources.values())).replace(hub, moved)))
    cloud.unseen, cloud.refused = {other}, [f"/subscriptions/{other}/"]
    snapshot = picture(cloud)
    assert tunnel(snapshot) is Verdict.UNKNOWN
    (one,) = snapshot.unread
    assert one.permission == "Microsoft.Network/virtualNetworks/read"
    assert one.grant.endswith(f"--scope /subscriptions/{other}")


def test_a_name_that_no_cluster_has_is_refused_beside_one_that_some_cluster_has() -> None:
    with pytest.raises(UsageFailure, match="no cluster in the scope is named `typo`"):
        picture(azure(), Scope(clusters=("aks-shop", "typo")))


def test_an_answer_that_comes_too_late_is_no_answer() -> None:
    cloud = azure()
    cloud.slow = {"outboundNetworkDependenciesEndpoints": 0.5}
    with running(cloud, read_timeout=0.1, retry_total=1) as session:
        snapshot = collect(session, Scope())
    assert reasons(snapshot) == {"it could not be read: the connection broke off or gave no answer in time"}


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with running(azure(), retry_total=0) as session:
        pass
    with pytest.raises(
        UsageFailure, match="the clusters cannot be listed: no connection from this machine"
    ) as failure:
        collect(session, Scope())
    assert "object at 0x" not in str(failure.value)


def test_packets_that_are_dropped_are_one_sentence_without_the_insides_of_libraries() -> None:
    """A listener whose queue is full answers no more, as a firewall that drops does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        where = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(where)
        session = session_with(f"http://127.0.0.1:{where[1]}", connection_timeout=0.2, retry_total=0)
        with pytest.raises(UsageFailure) as failure:
            collect(session, Scope())
        for one in waiting:
            one.close()
    assert str(failure.value) == (
        "the clusters cannot be listed: no connection from this machine within the time: packets are dropped on the way"
    )


def test_a_page_of_a_proxy_is_not_taken_for_azure() -> None:
    """What stands between here and Azure says so in HTML, with a status of its own."""
    page = Odd(404, b"<html>Blocked by policy</html>", Content_Type="text/html")
    with pytest.raises(UsageFailure) as failure:
        picture(having(always(graph, page)))
    assert str(failure.value) == (
        "the clusters cannot be listed: HTTP 404 without a word of Azure's own: something on the way, such as a proxy, answers in its place"
    )
    refused = picture(having(always(details, Odd(403, b"<html>Blocked by policy</html>"))))
    assert not [one for one in refused.unread if one.grant]


def test_admin_rules_that_resource_graph_knows_of_and_nobody_names_decide_nothing() -> None:
    cloud = azure()
    in_effect = f"{NETWORK}/providers/Microsoft.Network/effectiveSecurityAdminRules/default"
    cloud.resources[in_effect.casefold()] = {
        "id": in_effect,
        "type": "microsoft.network/effectivesecurityadminrules",
        "properties": {"EffectiveSecurityAdminConfigurations": [{"id": "c"}]},
    }
    snapshot = picture(cloud)
    assert [one.id for one in snapshot.unread] == [NETWORK]
    assert tunnel(snapshot) is Verdict.UNKNOWN


def test_a_quota_is_never_waited_for_longer_than_a_minute() -> None:
    from aks_egress_scan.live.graph_query import ResourceGraph

    cloud, waited = azure(), []
    cloud.quota, cloud.resets = "0", "99:00:00"
    with running(cloud) as session:
        asked = ResourceGraph(session.graph(), lambda done, total: None, waited.append)
        for _ in range(2):
            list(asked.rows("resources | where type =~ 'microsoft.network/routetables'"))
    assert waited == [60.0]


@pytest.mark.parametrize(
    ("status", "code", "why", "settled"),
    [
        (
            404,
            "SubscriptionNotFound",
            "reading it was refused (HTTP 404 SubscriptionNotFound)",
            "role assignment",
        ),
        (404, "ResourceNotFound", "it is not there any more (HTTP 404 ResourceNotFound)", ""),
        (404, "ResourceGroupNotFound", "it is not there any more (HTTP 404 ResourceGroupNotFound)", ""),
        (409, "MissingSubscriptionRegistration", "Microsoft.Network is not registered", "provider register"),
        (
            409,
            "AnotherOperationInProgress",
            "it could not be read: HTTP 409: (AnotherOperationInProgress)",
            "",
        ),
    ],
)
def test_what_azure_says_of_a_resource_is_told_with_what_mends_it(
    status: int, code: str, why: str, settled: str
) -> None:
    """Who has no role in a subscription is told that there is no such subscription."""
    cloud = having(always(about("/routeTables/"), Odd(status, error(code))))
    cloud.hidden = {f"{GROUP}/Microsoft.Network/routeTables/rt-spoke".casefold()}
    snapshot = picture(cloud)
    (one,) = snapshot.unread
    assert why in one.why
    assert (settled in one.grant) if settled else (one.grant == "")
    assert tunnel(snapshot) is Verdict.UNKNOWN
