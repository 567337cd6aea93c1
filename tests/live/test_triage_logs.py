"""Logs from Log Analytics through the real client, on good and bad days; and what never gets out of a log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.azure import Azure, Odd, running
from tests.live.kubernetes_server import Cluster, Json, node, pod, serving, warning
from tests.live.test_collect import CLUSTER, azure

from aks_egress_scan.cli import run
from aks_egress_scan.live import logs
from aks_egress_scan.live import session as sessions
from aks_egress_scan.live.blotted import BLOT, blotted
from aks_egress_scan.live.seen import LogsSeen

SCHEMA = json.loads((Path(logs.__file__).parent / "triage.schema.json").read_text("utf-8"))
V2, OLD = "ContainerLogV2", "ContainerLog"
LINE = [["2026-01-01T00:00:00Z", "konnectivity-agent-abc", "cannot connect once"]]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


def read(cloud: Azure) -> LogsSeen:
    with running(cloud) as session:
        return logs.workspace_logs(session, CLUSTER)


def answering(**by_table: Odd) -> tuple[Azure, list[str]]:
    """Log Analytics with an answer for each table; and the queries that came."""
    asked: list[str] = []

    def odd(path: str, body: bytes) -> Odd | None:
        if not path.endswith("/query"):
            return None
        query = json.loads(body)["query"]
        asked.append(query)
        return by_table.get(query.split(" ", maxsplit=1)[0])

    cloud = Azure()
    cloud.odd = odd
    return cloud, asked


def table(rows: list[list[str]], **beside: Any) -> Odd:
    columns = [{"name": name, "type": "string"} for name in ("TimeGenerated", "PodName", "Line")]
    return Odd(200, {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}], **beside})


def refusal(status: int, code: str, message: str, *inner: tuple[str, str]) -> Odd:
    error: Json = {"code": code, "message": message}
    place = error
    for one, said in inner:
        place["innererror"] = {"code": one, "message": said}
        place = place["innererror"]
    return Odd(status, {"error": error})


MISSING = refusal(
    400,
    "BadArgumentError",
    "The request had some invalid properties",
    ("SemanticError", "A semantic error occurred."),
    ("SEM0100", "'where' operator: Failed to resolve table or column expression"),
)
PARTIAL = {
    "error": {
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [],
        "innererror": {"code": "OverLimit", "message": "the query took too much memory"},
    }
}


def test_the_new_table_is_asked_first_and_is_enough() -> None:
    cloud, asked = answering(ContainerLogV2=table(LINE))
    seen = read(cloud)
    assert seen == LogsSeen(
        source=f"Log Analytics, table {V2}",
        until="2026-01-01T00:00:00Z",
        lines=("konnectivity-agent-abc: cannot connect once",),
    )
    assert len(asked) == 1


@pytest.mark.parametrize("first", [MISSING, table([])], ids=["missing", "empty"])
def test_the_older_table_is_joined_with_the_inventory_of_pods(first: Odd) -> None:
    cloud, asked = answering(ContainerLogV2=first, ContainerLog=table(LINE))
    seen = read(cloud)
    assert seen.source == f"Log Analytics, table {OLD}"
    assert seen.failures == ()
    assert "KubePodInventory | where Namespace == 'kube-system'" in asked[1]
    assert "summarize by ContainerID, PodName = Name) on ContainerID" in asked[1]


def test_the_queries_leave_the_autoscaler_out() -> None:
    assert all("!startswith 'konnectivity-agent-autoscaler'" in one for one in logs.QUERIES.values())


def test_empty_tables_say_that_kube_system_is_left_out() -> None:
    cloud, _ = answering(ContainerLogV2=table([]), ContainerLog=table([]))
    assert read(cloud) == LogsSeen(failures=(logs.NOTHING,))


def test_a_missing_table_and_an_empty_one_are_no_more_than_no_lines() -> None:
    cloud, _ = answering(ContainerLogV2=table([]), ContainerLog=MISSING)
    assert read(cloud) == LogsSeen(failures=(logs.NOTHING,))


def test_a_cluster_without_container_insights() -> None:
    """Neither table is known to any workspace that holds something of the cluster."""
    cloud, _ = answering(ContainerLogV2=MISSING, ContainerLog=MISSING)
    assert read(cloud) == LogsSeen(failures=(logs.NO_TABLES,))


def test_a_workspace_that_refuses_names_the_role() -> None:
    no = refusal(403, "InsufficientAccessError", "The provided credentials have insufficient access")
    cloud, _ = answering(ContainerLogV2=no, ContainerLog=no)
    seen = read(cloud)
    assert len(seen.failures) == 1
    assert "insufficient access" in seen.failures[0]
    assert "`Log Analytics Reader`" in seen.failures[0]


def test_half_an_answer_is_used_and_said() -> None:
    cloud, _ = answering(ContainerLogV2=table(LINE, **PARTIAL))
    seen = read(cloud)
    assert seen.lines == ("konnectivity-agent-abc: cannot connect once",)
    assert seen.failures == (f"Log Analytics, {V2}: the answer is not whole: the query took too much memory",)


@pytest.mark.parametrize(
    "answer",
    [
        Odd(200, b"<html>sign in</html>", Content_Type="text/html"),
        Odd(200, b'{"tables": [{"name": "Primary'),
        Odd(200, {"tables": [{"name": "P", "columns": [{"name": "X", "type": "string"}], "rows": [["a"]]}]}),
        Odd(200, {}),
        Odd(200, b"[]"),
        Odd(500, {}),
        Odd(404, {"error": {"code": "ResourceNotFound", "message": "gone"}}),
    ],
    ids=["a page", "half", "other columns", "nothing", "a list", "an error", "gone"],
)
def test_an_answer_that_is_no_table_is_a_reason_and_no_crash(answer: Odd) -> None:
    cloud, _ = answering(ContainerLogV2=answer, ContainerLog=answer)
    seen = read(cloud)
    assert seen.lines == ()
    assert seen.failures
    assert all(len(one) < 500 for one in seen.failures)


def test_a_workspace_that_is_slow_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr(logs, "ALL", 1)
    cloud = Azure()
    cloud.slow["/query"] = 8.0
    began = time.monotonic()
    seen = read(cloud)
    assert time.monotonic() - began < 7
    assert any("within 1 s" in one for one in seen.failures)


# ------------------------------------------------------------------ what never gets out

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"Authorization: Bearer {JWT}", "Authorization: Bearer "),
        (f"token {JWT} seen", "token "),
        ("authorization: bearer 0123456789abcdef", "authorization: bearer "),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic "),
        ("https://x.blob.core.windows.net/c?sv=1&sig=abc%2Fdef&se=2", "?sv=1&sig="),
        ('{"password": "hunter2hunter2"}', '"password": "'),
        ("client_secret=s3cr3ts3cr3t next", " next"),
        ("AccountKey=abcdEFGH0123==;EndpointSuffix=x", ";EndpointSuffix=x"),
        ("http://user:pa55word@proxy:3128", "@proxy:3128"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", ""),
    ],
)
def test_what_signs_somebody_in_is_blotted_out(text: str, kept: str) -> None:
    said = blotted(text)
    assert BLOT in said
    assert kept in said
    for secret in (
        JWT,
        "0123456789abcdef",
        "dXNlcjpw",
        "abc%2Fdef",
        "hunter2",
        "s3cr3t",
        "abcdEFGH",
        "pa55word",
        "MIIE",
    ):
        assert secret not in said


@pytest.mark.parametrize(
    "text",
    [
        'Get "https://10.1.4.4:10250/containerLogs/shop/web/c": dial tcp 10.1.4.4:10250: i/o timeout',
        'konnectivity-agent-7d9f: "Connect to server" serverID="0f5c8e2d"',
        "secret: not found",
        "token has expired",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert blotted(text) == text


def test_blotting_twice_is_blotting_once() -> None:
    once = blotted(f"password=hunter2hunter2 Bearer {JWT}")
    assert blotted(once) == once


HOSTILE = f"\x1b[31mred\x1b]0;title\x07 ##[error]x ::add-mask::x \u202e password=hunter2hunter2 {JWT}"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    there = azure()
    with running(there) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        yield there


def hostile() -> Cluster:
    """A cluster whose every text was written by somebody who means ill."""
    one = pod("konnectivity-agent-abc", label="konnectivity-agent", ready=False, waiting=HOSTILE)
    there = Cluster(one, pod("konnectivity-agent-def", label="konnectivity-agent"))
    there.lists["/api/v1/nodes"] = [node("node-0", EgressBlocked=HOSTILE, **{"\x1b[2J": HOSTILE})]
    there.lists["/api/v1/namespaces/kube-system/events"] = [
        warning("konnectivity-agent-abc", HOSTILE, HOSTILE)
    ]
    there.logs["konnectivity-agent-abc"] = f"{HOSTILE}\n" * 3
    there.failing["konnectivity-agent-def/log"] = (500, f"error dialing backend: {HOSTILE}")
    return there


@pytest.mark.parametrize("style", ["text", "json"])
def test_hostile_texts_act_on_nothing_and_betray_nothing(style: str, cloud: Azure, tmp_path: Path) -> None:
    file = tmp_path / "out"
    with serving(hostile(), tmp_path) as config:
        options = ["--kubeconfig", config, "--error", HOSTILE, "--format", style, "-o", str(file)]
        run(["triage", "--cluster", "aks-shop", "--quiet", *options])
    data = file.read_text("utf-8")
    assert "red" in data
    for char in ("\x1b", "\x07", "\u202e", "##[", "hunter2", JWT):
        assert char not in data
    assert not any(line.lstrip().startswith("::") for line in data.splitlines())


# ------------------------------------------------------------------ the document


def pieces(there: Cluster) -> None:
    there.dark["node-0"] = "error dialing backend: No agent available"


@pytest.mark.parametrize("shape", [lambda there: None, pieces], ids=["well", "calls fail"])
def test_the_document_follows_its_schema(
    shape: Callable[[Cluster], None], cloud: Azure, tmp_path: Path
) -> None:
    cloud.logs[V2] = LINE
    there, file = hostile(), tmp_path / "out"
    shape(there)
    with serving(there, tmp_path) as config:
        options = ["--kubeconfig", config, "--format", "json", "-o", str(file)]
        run(["triage", "--cluster", "aks-shop", "--quiet", *options])
    said = json.loads(file.read_bytes())
    jsonschema.Draft202012Validator(SCHEMA).validate(said)
    report = Path(logs.__file__).parents[3] / "policies/aks_egress/findings/report.schema.json"
    jsonschema.Draft202012Validator(json.loads(report.read_text("utf-8"))).validate(said["report"])


def test_without_kubernetes_the_document_follows_its_schema_too(tmp_path: Path) -> None:
    snapshot = Path(__file__).parents[2] / "examples/hub-and-spoke/snapshot/konnectivity.json"
    file = tmp_path / "out"
    options = ["--snapshot", str(snapshot), "--no-kubernetes", "--format", "json", "-o", str(file)]
    assert run(["triage", "--cluster", "aks-shop", *options]) == 1
    said = json.loads(file.read_bytes())
    jsonschema.Draft202012Validator(SCHEMA).validate(said)
    assert [one.rsplit("(", 1)[-1] for one in said["notSeen"]] == ["`--no-kubernetes`)", "`--snapshot`)"]


def test_the_schema_knows_every_word_that_is_used() -> None:
    from aks_egress_scan.live.conclusion import CAUSES

    assert SCHEMA["properties"]["cause"]["enum"] == list(CAUSES)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
