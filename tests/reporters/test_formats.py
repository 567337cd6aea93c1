"""Each format says what the report says, in the shape its consumers read."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from tests.generate.goldens import GOLDEN
from tests.generate.goldens import render as goldens
from tests.reporters.reports import REPORTS, TUNNEL_FINDING, empty, rich

from aks_egress.findings.document import as_json
from aks_egress.records import replace
from aks_egress_scan.reporters import pieces, render
from aks_egress_scan.reporters.escaping import json_text
from aks_egress_scan.reporters.sarif import uri
from aks_egress_scan.reporters.style import Style

jsonschema = pytest.importorskip("jsonschema")
HERE = Path(__file__).parent
REPORT_SCHEMA = Path(as_json.__code__.co_filename).with_name("report.schema.json")


def _checked(data: Any, schema: Any) -> None:
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    errors = [
        f"{'/'.join(map(str, one.path))}: {one.message[:200]}" for one in kind(schema).iter_errors(data)
    ]
    assert errors == []


@pytest.mark.parametrize("path", sorted(goldens()), ids=str)
def test_golden_files_are_what_the_reporters_write(path: str) -> None:
    """`make generate` would change nothing."""
    assert (GOLDEN / path).read_text(encoding="utf-8") == goldens()[path]


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_json_follows_its_schema(name: str) -> None:
    """Every report is valid under `aks-egress/report/v1`."""
    _checked(json.loads(render(REPORTS[name](), "json")), json.loads(REPORT_SCHEMA.read_text("utf-8")))


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_json_bit_by_bit_is_the_document_at_once(name: str) -> None:
    """Only one cluster of a fleet's text need be there at a time."""
    report = REPORTS[name]()
    written = list(pieces(report, "json"))
    assert "".join(written) == json_text(as_json(report))
    assert len(written) > len(report.clusters)


def test_the_report_schema_refuses_what_is_no_report() -> None:
    """The schema is not so wide that anything passes."""
    schema = json.loads(REPORT_SCHEMA.read_text("utf-8"))
    for spoil in ("clusters", "summary", "schema"):
        data = json.loads(render(rich(), "json"))
        del data[spoil]
        assert list(jsonschema.Draft202012Validator(schema).iter_errors(data))
    data = json.loads(render(rich(), "json"))
    data["clusters"][0]["flows"][0]["verdict"] = "fine"
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(data))


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_sarif_follows_the_members_of_the_standard(name: str) -> None:
    """No member is there that SARIF 2.1.0 does not have, none is missing that it wants."""
    _checked(
        json.loads(render(REPORTS[name](), "sarif")),
        json.loads((HERE / "sarif.subset.json").read_text("utf-8")),
    )


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_sarif_follows_the_official_schema(name: str) -> None:
    """OASIS's own schema, where a copy was given."""
    schema = _official("sarif-2.1.0.json")
    _checked(json.loads(render(REPORTS[name](), "sarif")), json.loads(schema.read_text("utf-8")))


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_junit_follows_the_schema_of_its_best_known_reader(name: str, tmp_path: Path) -> None:
    """Jenkins' own schema, where a copy was given."""
    schema = _official("junit-10.xsd")
    xmlschema = pytest.importorskip("xmlschema")
    file = tmp_path / "report.xml"
    file.write_text(render(REPORTS[name](), "junit"), encoding="utf-8")
    xmlschema.XMLSchema(str(schema)).validate(str(file))


def _official(name: str) -> Path:
    folder = os.environ.get("OFFICIAL_SCHEMAS", "")
    if not folder or not (Path(folder) / name).is_file():
        pytest.skip(f"set OFFICIAL_SCHEMAS to a folder that holds the official {name}")
    return Path(folder) / name


#: element -> (attributes it may have, those it must have, children it may have)
JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time"},
        {"name", "tests", "failures", "errors"},
        {"properties", "testcase"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "testcase": ({"classname", "name", "time"}, {"name"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"type", "message"}, {"type"}, set()),
    "error": ({"type", "message"}, {"type"}, set()),
    "skipped": ({"message"}, set(), set()),
    "system-out": (set(), set(), set()),
}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_junit_has_the_elements_that_readers_know(name: str) -> None:
    """And its counts are those of its tests."""
    tree = ET.fromstring(render(REPORTS[name](), "junit"))  # noqa: S314 - our own text
    for element in tree.iter():
        may, must, children = JUNIT[element.tag]
        assert must <= set(element.attrib) <= may
        assert {child.tag for child in element} <= children
    for suite in tree.iter("testsuite"):
        for outcome, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(attribute) or 0) == len(suite.findall(f"testcase/{outcome}"))
        assert int(suite.get("tests") or 0) == len(suite.findall("testcase"))
    assert int(tree.get("tests") or 0) == len(list(tree.iter("testcase")))


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_junit_keeps_every_note_once(name: str) -> None:
    """Such as when the picture of what runs was taken; before the tests, where all its schemas allow them."""
    report = REPORTS[name]()
    tree = ET.fromstring(render(report, "junit"))  # noqa: S314 - our own text
    assert len(list(tree.iter("property"))) == len(report.notes)
    for properties in tree.iter("properties"):
        assert tree.find("testsuite/*") is properties
        if name == "rich":
            assert [one.get("value") for one in properties] == list(report.notes)


def test_junit_fails_what_a_finding_is_about_and_nothing_that_was_accepted() -> None:
    """A blocked flow fails, an undecided required one errs, an optional one is skipped, an open one passes."""
    tree = ET.fromstring(render(rich(), "junit"))  # noqa: S314 - our own text
    outcome = {
        (case.get("name") or "").partition(":")[0]: [child.tag for child in case]
        for suite in tree.findall("testsuite")[:1]
        for case in suite.findall("testcase")
    }
    assert outcome == {
        "tunnel-udp": ["failure"],
        "mcr": ["error"],
        "arm": [],
        "ntp": ["skipped"],
        "dns": [],
        "old": ["skipped"],
    }


def test_sarif_points_at_the_rule_and_walks_the_flow() -> None:
    """A finding has its place, the path of its flow, its fingerprint; what is accepted says so."""
    run = json.loads(render(rich(), "sarif"))["runs"][0]
    first = run["results"][0]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "spoke/main.json", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 41},
    }
    steps = first["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [one["location"]["physicalLocation"]["region"]["startLine"] for one in steps] == [41, 88]
    assert first["partialFingerprints"] == {"aksEgressFinding/v1": TUNNEL_FINDING.fingerprint}
    assert [bool(one.get("suppressions")) for one in run["results"]] == [False, False, False, True]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_says_when_an_input_was_broken() -> None:
    """A run that could not read its input was not successful."""
    run = json.loads(render(REPORTS["broken"](), "sarif"))["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "a comma is expected"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("a/b.json", "a/b.json"),
        ("../hub/net work.json", "../hub/net%20work.json"),
        ("a:b#c?.json", "a%3Ab%23c%3F.json"),
        ("/srv/ü.json", "file:///srv/%C3%BC.json"),
        ("C:\\x\\y.json", "file:///C:/x/y.json"),
        ("sub\\y.json", "sub/y.json"),
    ],
)
def test_paths_are_uris_and_relative_ones_stay_relative(path: str, wanted: str) -> None:
    """As code-scanning services want them."""
    assert uri(path) == wanted


def test_text_explains_the_tunnel_first_then_what_is_shut_then_what_is_open_to_doubt() -> None:
    """In the order in which people ask."""
    text = render(rich(), "text", Style(width=100))
    order = [
        text.index(part)
        for part in (
            "aks-spoke  BLOCKED",
            "The aks-link tunnel is blocked",
            "error EGR191 tunnel-blocked  spoke/main.json:41",
            "security group `deny-internet` of `nsg-nodes` at spoke/main.json:41",
            "lost   UDP 10.1.0.4 -> 20.50.2.17 port 1194",
            "breaks kubectl logs",
            "fix    allow UDP 1194",
            "Not decided by what was given",
            "These verdicts rest on",
            "2 clusters",
        )
    ]
    assert order == sorted(order)
    assert max(map(len, text.splitlines())) <= 100


def test_text_never_cuts_a_word() -> None:
    """A long path stays whole, so that it can be copied."""
    assert "AzureCloud.westeurope" in render(rich(), "text", Style(width=60))
    assert re.sub(r"\s+", " ", render(rich(), "text", Style(width=60))) == re.sub(
        r"\s+", " ", render(rich(), "text", Style(width=119))
    )


def test_suppressed_findings_are_counted_and_listed_on_request() -> None:
    """They never vanish."""
    assert ", 1 suppressed" in render(rich(), "text", Style(width=120))
    assert "the portal shows both" not in render(rich(), "text")
    assert "the portal shows both" in render(rich(), "text", Style(suppressed=True))


def test_a_comment_says_in_its_first_line_what_is_lost() -> None:
    """A reviewer needs ten seconds."""
    first = render(rich(), "markdown").splitlines()[1]
    assert (
        first
        == "### ❌ the aks-link tunnel is blocked: `aks-spoke` loses `kubectl logs`, `exec` and webhooks"
    )
    assert "no cluster was judged" in render(empty(), "markdown")


def test_a_comment_fits_into_a_comment() -> None:
    """However many findings and clusters there are; the rest is counted."""
    many = replace(rich(), findings=rich().findings * 500)
    text = render(many, "markdown")
    assert len(text) < 65_536
    assert "and 470 more" in text
    long = replace(TUNNEL_FINDING, message="m" * 3_000)
    text = render(replace(rich(), findings=(long,) * 40), "markdown")
    assert len(text) < 65_536
    assert "and 30 more" in text
