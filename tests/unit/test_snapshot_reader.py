"""Snapshots: what the file promises, what it keeps, and what a broken one is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests import builders as b

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Role
from aks_egress.engine import judge
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.packets.tags import ServiceTags
from aks_egress.requirements.known import SWITCHES
from aks_egress.settings import Settings
from aks_egress_scan.live.kept import kept, kept_types
from aks_egress_scan.live.snapshot import Snapshot, Unread, render
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.snapshot import READER
from aks_egress_scan.sources import load

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/snapshot/*.json"))
SCHEMA = ROOT / "scanners/aks_egress_scan/live/snapshot.schema.json"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Json = dict[str, Any]


def row(one: Json) -> Json:
    """A built resource with the id that Azure gives it."""
    return one | {"id": b.rid(one["type"], *one["name"].split("/"))}


def picture(*rows: Json, unread: tuple[Unread, ...] = ()) -> Snapshot:
    snapshot = Snapshot(unread=list(unread))
    for one in map(row, rows):
        snapshot.add(one, one["type"].casefold())
    return snapshot


def read(data: bytes) -> Document:
    (document,) = READER.read(Source("snapshot.json", data), Parameters())
    return document


SPOKE = (
    b.vnet("net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22", nsg="g")),
    b.nsg("g"),
    b.cluster("nodes", outbound="loadBalancer"),
)


def tunnel(document: Document) -> Verdict:
    (cluster,) = judge([document], Settings(), ServiceTags()).clusters
    return cluster.tunnel.verdict


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_fit_the_schema(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(file.read_bytes()), json.loads(SCHEMA.read_bytes()))


def test_what_could_not_be_read_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    refused = Unread(
        kind="a/b", id="/x", why="refused", permission="a/b/read", grant="az ...", everything=True
    )
    data = render(picture(*SPOKE, unread=(refused,)), "1", NOW)
    jsonschema.validate(json.loads(data), json.loads(SCHEMA.read_bytes()))


def test_the_same_state_gives_the_same_bytes() -> None:
    assert render(picture(*SPOKE), "1", NOW) == render(picture(*reversed(SPOKE)), "1", NOW)


def test_only_the_time_tells_two_pictures_of_one_state_apart() -> None:
    one = json.loads(render(picture(*SPOKE), "1", NOW))
    other = json.loads(render(picture(*SPOKE), "1", datetime(2027, 1, 1, tzinfo=UTC)))
    assert one["collected"].pop("at") != other["collected"].pop("at")
    assert one == other


def test_the_time_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert b'"at": "1970-01-01T00:00:00Z"' in render(picture(), "1")


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ({}, "collected from all that could be seen"),
        (
            {"clusters": ["aks"], "subscriptions": ["a", "b", "c", "d"]},
            "collected for cluster `aks` of subscriptions `a`, `b`, `c` and 1 more",
        ),
        ({"managementGroups": ["root"]}, "collected for management group `root`"),
    ],
)
def test_the_report_says_when_and_for_what_it_was_taken(scope: Json, said: str) -> None:
    taken = picture(*SPOKE)
    taken.scope = scope
    report = judge([read(render(taken, "1", NOW))], Settings(), ServiceTags())
    assert f"`snapshot.json`: it shows what ran at 2026-01-02T03:04:05Z, {said}" in report.notes


def test_it_is_read_as_what_runs() -> None:
    document = read(render(picture(*SPOKE), "1", NOW))
    assert (document.kind, document.deployed, document.cloud) == (Kind.SNAPSHOT, True, "public")
    assert tunnel(document) is Verdict.OPEN


def test_every_resource_stands_on_a_line_of_its_own() -> None:
    document = read(render(picture(*SPOKE), "1", NOW))
    assert [document.locate(one.origin) for one in document.resources] == [4, 5, 6]


def test_it_keeps_no_secrets() -> None:
    """Not what lies beside the kept members, not a login in an address, no certificate."""
    cluster = row(SPOKE[2]) | {"tags": {"owner": "secret-1"}, "identity": {"x": "secret-2"}}
    cluster["properties"] = cluster["properties"] | {
        "servicePrincipalProfile": {"clientId": "a", "secret": "secret-3"},
        "httpProxyConfig": {"httpProxy": "http://me:secret-4@proxy:8080/", "trustedCa": "secret-5"},
        "windowsProfile": {"adminPassword": "secret-6"},
        "addonProfiles": {"omsagent": {"enabled": True, "config": {"key": "secret-7"}}},
    }
    said = json.dumps(kept(cluster, "microsoft.containerservice/managedclusters"))
    assert "secret" not in said
    assert '"httpProxy": "http://proxy:8080/"' in said
    assert '"enabled": true' in said


def test_a_flux_source_loses_its_login() -> None:
    flux = {"id": "/x", "properties": {"gitRepository": {"url": "https://u:p@git.example.com/r"}}}
    assert kept(flux, "microsoft.kubernetesconfiguration/fluxconfigurations")["properties"] == {
        "gitRepository": {"url": "https://git.example.com/r"}
    }


def test_an_empty_list_stays() -> None:
    """A firewall without IP configurations is stopped; that is not the same as not known."""
    firewall = {"id": "/x", "properties": {"ipConfigurations": []}}
    assert kept(firewall, "microsoft.network/azurefirewalls")["properties"] == {"ipConfigurations": []}


@pytest.mark.parametrize("path", [path for paths in SWITCHES.values() for path in paths])
def test_every_switch_of_a_cluster_is_kept(path: str) -> None:
    """What a picture dropped would be judged as its default."""
    properties: Json = {}
    inner = properties
    *above, last = path.split(".")
    for name in above:
        inner = inner.setdefault(name, {})
    inner[last] = True
    found = kept({"id": "/x", "properties": properties}, "microsoft.containerservice/managedclusters")
    assert found["properties"] == properties


def test_types_are_spelled_without_case() -> None:
    assert all(kind == kind.casefold() for kind in kept_types())


def test_a_refused_group_is_undecided_and_says_what_would_settle_it() -> None:
    refused = Unread(
        kind="microsoft.network/networksecuritygroups",
        id=b.rid("networkSecurityGroups", "g"),
        why="reading it was refused (HTTP 403)",
        permission="Microsoft.Network/networkSecurityGroups/read",
        grant="az role assignment create ...",
    )
    document = read(render(picture(SPOKE[0], SPOKE[2], unread=(refused,)), "1", NOW))
    assert tunnel(document) is Verdict.UNKNOWN
    (notice,) = document.notices
    assert "Microsoft.Network/networkSecurityGroups/read" in notice.message
    assert notice.origin.pointer == ("unread", 0)


def test_refused_endpoints_of_a_cluster_change_no_verdict() -> None:
    refused = Unread(
        kind="microsoft.containerservice/managedclusters/outboundnetworkdependenciesendpoints",
        id=b.rid("Microsoft.ContainerService/managedClusters", "aks"),
        why="refused",
    )
    assert tunnel(read(render(picture(*SPOKE, unread=(refused,)), "1", NOW))) is Verdict.OPEN


def test_unread_extensions_leave_what_they_need_open() -> None:
    kind = "microsoft.kubernetesconfiguration/extensions"
    refused = Unread(kind=kind, id="/", why="no answer", everything=True)
    document = read(render(picture(*SPOKE, unread=(refused,)), "1", NOW))
    assert kind in document.unread


BROKEN = {
    "another version": (b'{"schema": "aks-egress/snapshot/v9"}', "v9"),
    "no time": (b'{"schema": "aks-egress/snapshot/v1", "collected": {"cloud": "public"}}', "`at`"),
    "no such cloud": (
        b'{"schema": "aks-egress/snapshot/v1", "collected": {"at": "x", "cloud": "moon"}}',
        "`cloud`",
    ),
    "no resources": (
        b'{"schema": "aks-egress/snapshot/v1", "collected": {"at": "x", "cloud": "public"}}',
        "`resources`",
    ),
    "half of it": (render(picture(*SPOKE), "1", NOW)[:-200], "JSON"),
    "a resource without id": (
        render(picture(*SPOKE), "1", NOW).replace(b'"id": "/subscriptions', b'"i": "/subscriptions', 1),
        "no resource id",
    ),
    "unread as text": (
        render(picture(*SPOKE), "1", NOW).replace(b'"unread": []', b'"unread": ["x"]'),
        "must be an object",
    ),
    "a rule that somebody changed": (
        render(picture(*SPOKE, b.nsg("h", b.rule("x", 100, "Deny"))), "1", NOW).replace(b"Deny", b"Allow"),
        "was changed after it was taken",
    ),
    "a gap that somebody took out": (
        render(
            picture(*SPOKE, unread=(Unread(kind="a/b", id="/x", why="no answer", everything=True),)), "1", NOW
        ).replace(b'[\n{"everything": true, "id": "/x", "type": "a/b", "why": "no answer"}\n]', b"[]"),
        "was changed after it was taken",
    ),
    "no digest": (
        render(picture(*SPOKE), "1", NOW).replace(b'"digest"', b'"other"'),
        "was changed after it was taken",
    ),
    "odd endpoints": (
        render(picture(*SPOKE), "1", NOW).replace(
            b'"dependencies": []', b'"dependencies": [{"id": "x", "found": [{"endpoints": ["y"]}]}]'
        ),
        "shape",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_snapshot_is_malformed(name: str) -> None:
    data, said = BROKEN[name]
    with pytest.raises(MalformedError, match=said) as caught:
        read(data)
    assert caught.value.path == "snapshot.json"
    assert caught.value.line is not None


def test_another_layout_is_the_same_snapshot() -> None:
    """A tool that spelled the JSON otherwise changed nothing of what it says."""
    data = render(picture(*SPOKE), "1", NOW)
    assert tunnel(read(json.dumps(json.loads(data), indent=2).encode())) is tunnel(read(data))


def test_a_broken_snapshot_is_a_clear_error_of_scan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from aks_egress_scan.cli import run

    file = tmp_path / "x.json"
    for name in ("another version", "half of it", "a rule that somebody changed"):
        file.write_bytes(BROKEN[name][0])
        for arguments in (["scan", str(file)], ["scan", str(EXAMPLES[0]), "--context", str(file)]):
            assert run(arguments) == 2
            said = capsys.readouterr().err
            assert said.startswith(f"aks-egress: {file}:")
            assert BROKEN[name][1] in said


def test_it_is_found_by_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "anything.json"
    file.write_bytes(render(picture(*SPOKE), "1", NOW))
    (document,) = load([str(file)]).documents
    assert document.kind is Kind.SNAPSHOT


# what is planned, over a snapshot


RULE = b.rule("deny-internet", 200, "Deny", "Internet")


def planned(tmp_path: Path, *rows: Json, running: tuple[Json, ...]) -> Verdict:
    """The tunnel of a template, with a snapshot as its context."""
    snapshot, plan = tmp_path / "running.json", tmp_path / "main.json"
    snapshot.write_bytes(render(picture(*running), "1", NOW))
    plan.write_text(b.template(*rows), encoding="utf-8")
    loaded = load([str(plan)], [str(snapshot)])
    assert not loaded.failures
    (cluster,) = judge(loaded.documents, Settings(), ServiceTags()).clusters
    return cluster.tunnel.verdict


def test_a_plan_that_opens(tmp_path: Path) -> None:
    closed = (SPOKE[0], b.nsg("g", RULE), SPOKE[2])
    assert planned(tmp_path, *closed, running=closed) is Verdict.BLOCKED
    assert planned(tmp_path, SPOKE[2], b.nsg("g"), running=closed) is Verdict.OPEN


def test_a_plan_that_closes(tmp_path: Path) -> None:
    assert planned(tmp_path, SPOKE[2], running=SPOKE) is Verdict.OPEN
    assert planned(tmp_path, SPOKE[2], b.nsg("g", RULE), running=SPOKE) is Verdict.BLOCKED


def test_a_plan_that_deletes(tmp_path: Path) -> None:
    """Terraform destroys the group's own rule; the snapshot still shows it."""
    running = read(render(picture(SPOKE[0], b.nsg("g", RULE), SPOKE[2]), "1", NOW))
    plan = b.document(SPOKE[2])
    running.role = Role.CONTEXT
    before = judge([plan, running], Settings(), ServiceTags()).clusters[0].tunnel.verdict
    plan.deleted = frozenset(
        {ResourceId.parse(b.rid("networkSecurityGroups/securityRules", "g", "deny-internet"))}
    )
    after = judge([plan, running], Settings(), ServiceTags()).clusters[0].tunnel.verdict
    assert (before, after) == (Verdict.BLOCKED, Verdict.OPEN)
