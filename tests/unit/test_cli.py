"""The command line: exit statuses, what goes where, and no traceback for anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aks_egress_scan import cli
from aks_egress_scan.__main__ import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hub-and-spoke" / "arm"
TEMPLATE: dict[str, Any] = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "resources": [],
}


def scan_of(variant: str, *extra: str) -> list[str]:
    """The arguments that scan the example."""
    files = [EXAMPLE / "parameters" / variant / f"{part}.parameters.json" for part in ("hub", "spoke")]
    given = [argument for file in files for argument in ("--param", str(file))]
    return ["scan", str(EXAMPLE / "hub.json"), str(EXAMPLE / "spoke.json"), *given, *extra]


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, no cache and no variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


def test_a_sound_network_exits_0_and_a_broken_tunnel_1(capsys: pytest.CaptureFixture[str]) -> None:
    """The report is on standard output, and says what the status says."""
    assert main(scan_of("sound")) == 0
    assert "The konnectivity tunnel is open" in capsys.readouterr().out
    assert main(scan_of("konnectivity")) == 1
    said = capsys.readouterr()
    assert "The konnectivity tunnel is blocked" in said.out
    assert said.err == ""


def test_never_failing_still_shows_the_findings(capsys: pytest.CaptureFixture[str]) -> None:
    """`--fail-on never --unknown pass` changes the status alone."""
    assert main(scan_of("konnectivity", "--fail-on", "never", "--unknown", "pass")) == 0
    assert "EGR101" in capsys.readouterr().out


def test_an_undecided_required_flow_exits_4_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    """The spoke alone cannot know its hub's firewall."""
    spoke = [
        "scan",
        str(EXAMPLE / "spoke.json"),
        "--param",
        str(EXAMPLE / "parameters/sound/spoke.parameters.json"),
    ]
    assert main(spoke) == 4
    assert main([*spoke, "--unknown", "warn"]) == 0
    assert main([*spoke, "--fail-on", "warning"]) == 1
    assert "to settle it" in capsys.readouterr().out


def test_the_hub_as_context_completes_the_picture_without_being_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And the report says which input had which role."""
    arguments = scan_of("konnectivity", "--format", "json", "--fail-on", "never")
    arguments.remove(str(EXAMPLE / "hub.json"))
    assert main([*arguments, "--context", str(EXAMPLE / "hub.json")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(Path(one["path"]).name, one["role"]) for one in report["inputs"]] == [
        ("spoke.json", "subject"),
        ("hub.json", "context"),
    ]
    assert report["clusters"][0]["tunnel"]["verdict"] == "blocked"


def test_reports_are_the_same_whatever_order_files_are_named_in(capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte."""
    texts = []
    for order in (slice(None), slice(None, None, -1)):
        first = scan_of("konnectivity", "--format", "json")
        main([first[0], *first[1:3][order], *first[3:]])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_several_reports_in_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each format goes where the `-o` after it says; the others to standard output."""
    outputs = [
        "--format",
        "text",
        "--format",
        "sarif",
        "-o",
        "a.sarif",
        "--format",
        "junit",
        "-o",
        "a.xml",
        "--format",
        "html",
        "--output",
        "a.html",
    ]
    assert main(scan_of("konnectivity", *outputs)) == 1
    assert "tunnel is blocked" in capsys.readouterr().out
    assert json.loads((tmp_path / "a.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert (tmp_path / "a.xml").read_text("utf-8").startswith("<?xml")
    assert (tmp_path / "a.html").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        (["--format", "json", "--format", "text"], "two reports cannot share standard output"),
        (["--format", "json", "-o", "a", "-o", "b"], "has no `--format` of its own"),
        (["--format", "json", "-o", "a", "--format", "text", "-o", "a"], "to the same file"),
        (["--format", "json", "-o", "no/such/folder/a"], "cannot write `no/such/folder/a`"),
    ],
)
def test_outputs_that_cannot_be_are_refused(
    outputs: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a sentence and exit 2."""
    assert main(scan_of("sound", *outputs)) == 2
    assert sentence in capsys.readouterr().err


def test_a_new_finding_counts_although_old_ones_are_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A baseline holds back what it knows, and nothing else."""
    assert main(["baseline", *scan_of("konnectivity")[1:], "-o", "known.json"]) == 0
    capsys.readouterr()
    assert main(scan_of("konnectivity", "--baseline", "known.json", "--unknown", "pass")) == 0
    assert "suppressed" in capsys.readouterr().out
    assert main(scan_of("kubelet", "--baseline", "known.json")) == 1
    assert "is mended: write it anew" in capsys.readouterr().out.replace("\n      ", " ")


def test_diff_shows_what_a_change_closes_and_opens(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what differs, and the findings that are new."""
    plans = EXAMPLE.parent / "terraform" / "plans"
    sound, broken = str(plans / "sound.json"), str(plans / "konnectivity.json")
    assert main(["diff", sound, sound]) == 0
    assert capsys.readouterr().out == "0 flows changed, 0 new findings\n"
    assert main(["diff", sound, broken]) == 1
    said = capsys.readouterr().out
    assert "closes: TCP 443 to *.hcp.eastus.azmk8s.io from vnet-spoke/snet-system: open -> blocked" in said
    assert "new finding EGR101 tunnel-blocked" in said
    assert main(["diff", broken, sound, "--format", "json"]) == 0
    changes = json.loads(capsys.readouterr().out)
    assert {one["effect"] for one in changes["changes"]} <= {"opens", "settles"}
    assert changes["newFindings"] == []


def test_a_name_that_no_cluster_has_is_never_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    """Alone there is nothing to judge; beside another, that one alone would be judged."""
    assert main(scan_of("sound", "--cluster", "AKS-shop")) == 0
    assert main(scan_of("sound", "--cluster", "aks-shp")) == 3
    assert "no AKS cluster is named `aks-shp`: there are `aks-shop`" in capsys.readouterr().err
    assert main(scan_of("sound", "--cluster", "aks-shop", "--cluster", "aks-shp")) == 2


def test_the_configuration_says_what_to_judge_and_the_environment_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`aks-egress scan` alone is enough then."""
    plan = EXAMPLE.parent / "terraform" / "plans" / "konnectivity.json"
    (tmp_path / "aks-egress.toml").write_text(
        f'inputs = ["{plan}"]\nfail-on = "never"\nunknown = "pass"\nformat = "github"\n', "utf-8"
    )
    assert main(["scan"]) == 0
    assert capsys.readouterr().out.startswith("::error file=")
    monkeypatch.setenv("AKS_EGRESS_FAIL_ON", "error")
    assert main(["scan"]) == 1
    (tmp_path / "aks-egress.toml").write_text(
        f'inputs = ["{plan}"]\n[severities]\nEGR101 = "note"\nEGR201 = "off"\n', "utf-8"
    )
    capsys.readouterr()
    assert main(["scan", "--unknown", "pass", "--format", "json"]) == 0
    assert {(one["rule"], one["severity"]) for one in json.loads(capsys.readouterr().out)["findings"]} >= {
        ("EGR101", "note")
    }


PLAN = (EXAMPLE.parent / "terraform" / "plans" / "sound.json").read_bytes()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, len(PLAN)),
    put=st.binary(max_size=8),
    at=st.integers(0, len(PLAN)),
    text=st.sampled_from([PLAN, json.dumps(TEMPLATE).encode()]),
)
def test_no_damage_to_a_file_ends_in_a_traceback_or_a_pass(
    cut: int, put: bytes, at: int, text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut off anywhere, anything put in: a sentence, and never an error of our own."""
    data = text[: at % len(text)] + put + text[at % len(text) :]
    (tmp_path / "x.json").write_bytes(data[: cut % (len(data) + 1)])
    status = main(["scan", "x.json"])
    said = capsys.readouterr().err
    assert "error of this program" not in said
    whole = data[: cut % (len(data) + 1)] == text
    assert status in ((0, 3) if whole else (0, 1, 2, 3, 4))
    try:
        json.loads(data[: cut % (len(data) + 1)])
    except ValueError:
        assert status == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "usage: aks-egress COMMAND"),
        (["scann", "x"], "did you mean `scan`?"),
        (["--format", "json"], "the command comes first"),
        (["scan"], "nothing was named to judge"),
        (["scan", ""], "an empty path was given"),
        (["scan", "missing.json"], "cannot read `missing.json`: no such file or directory"),
        (["scan", "a", "--cloud", "mars"], "invalid choice"),
        (["scan", "a", "--config", "missing.toml"], "cannot read the configuration `missing.toml`"),
        (["scan", "a", "--service-tags", "missing.json"], "cannot read the service tags `missing.json`"),
        (["scan", "a", "--param", "nothing"], "neither a file that exists nor NAME=VALUE"),
        (["explain", "EGR999"], "nothing is known of `EGR999`"),
        (["explain", "tunel-blocked"], "did you mean `tunnel-blocked`?"),
        (["endpoints", "--feature", "gpuu"], "there is no feature `gpuu`"),
        (["tags", "show", "AzureCloud"], "there is no service-tag data"),
        (["query", "a", "--from", "s", "--to", "h.example.com", "--port", "70000"], "is no port"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a traceback."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_an_empty_folder_exits_3_and_says_what_was_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing to judge is no pass."""
    (tmp_path / "empty").mkdir()
    assert main(["scan", "empty"]) == 3
    assert "the folder holds no file named `*.json`" in capsys.readouterr().err


def test_a_template_without_a_cluster_exits_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence, and a report for machines that says the same."""
    (tmp_path / "a.json").write_text(json.dumps(TEMPLATE), "utf-8")
    assert main(["scan", "a.json", "--format", "json"]) == 3
    said = capsys.readouterr()
    assert "no AKS cluster and no declared node subnet" in said.err
    assert json.loads(said.out)["clusters"] == []


def test_broken_input_wins_over_every_other_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is judged all the same, and the report names the broken file."""
    (tmp_path / "cut.json").write_text(json.dumps(TEMPLATE, indent=1)[:-4], "utf-8")
    assert main([*scan_of("konnectivity", "--format", "json"), "cut.json"]) == 2
    said = capsys.readouterr()
    assert "aks-egress: cut.json:" in said.err
    report = json.loads(said.out)
    assert report["clusters"]
    assert [one["path"] for one in report["inputs"] if one["problems"]] == ["cut.json"]


def test_standard_input_is_read(tmp_path: Path) -> None:
    """`-` names it."""
    (tmp_path / "t.json").write_text(json.dumps(TEMPLATE), "utf-8")
    with (tmp_path / "t.json").open("rb") as stream:
        ended = subprocess.run(
            [sys.executable, "-m", "aks_egress_scan", "scan", "-"],
            stdin=stream,
            capture_output=True,
            check=False,
        )
    assert ended.returncode == 3
    assert b"no AKS cluster" in ended.stderr


def test_a_closed_standard_output_is_no_pass(tmp_path: Path) -> None:
    """Whoever reads half of a report has not read it."""
    code = (
        "import os,sys; os.close(1); from aks_egress_scan.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    ended = subprocess.run([sys.executable, "-c", code, *scan_of("sound")], capture_output=True, check=False)
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr


def test_an_error_of_our_own_is_a_sentence_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what to report, and nothing that stands in the input."""

    def broken(arguments: list[str]) -> int:
        raise KeyError("secret of the input")

    monkeypatch.setattr(cli, "run", broken)
    assert main(["scan", "x"]) == 2
    said = capsys.readouterr().err
    assert "an error of this program, not of your input: KeyError" in said
    assert "secret" not in said
    assert "Traceback" not in said


def test_version_and_help_import_next_to_nothing() -> None:
    """Start-up is a feature."""
    code = (
        "import sys; from aks_egress_scan.__main__ import main; main(['--version']); "
        "print(sorted(n for n in ('argparse', 'json', 're', 'dataclasses', 'tomllib', 'aks_egress.engine', 'urllib') if n in sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert ended.stdout.splitlines()[1] == "[]"


def test_a_scan_imports_no_reader_it_does_not_need() -> None:
    """Nor anything that belongs to other commands."""
    code = (
        "import sys; from aks_egress_scan.__main__ import main; main(sys.argv[1:]); "
        "print([n for n in sys.modules if n.startswith('aks_egress_scan.readers.terraform') or n.startswith('aks_egress_scan.readers.bicep')"
        " or n in ('jsonschema', 'checkov', 'urllib.request', 'difflib', 'tomllib', 'shutil')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *scan_of("sound", "-o", "x")], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` shows examples that name the command."""
    status = main([command, "--help"])
    said = capsys.readouterr()
    if "is not part of this installation" in said.err:
        assert command not in _listed(capsys)
        return
    assert status == 0
    assert f"aks-egress {command}" in said.out.split("examples:")[1]


def _listed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["--help"]) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]


def test_explain_knows_rules_requirements_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """Three things people paste."""
    assert main(["explain"]) == 0
    assert "EGR101  error    tunnel-blocked" in capsys.readouterr().out
    assert main(["explain", "public-api-server-fqdn"]) == 0
    assert "azmk8s.io" in capsys.readouterr().out
    assert (
        main(
            [
                "explain",
                "Error from server: error dialing backend: dial tcp 10.0.0.4:10250: i/o timeout",
                "--format",
                "json",
            ]
        )
        == 0
    )
    assert "tunnel-agent-to-kubelet" in json.loads(capsys.readouterr().out)[0]["requirements"]


def test_endpoints_are_those_of_the_described_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, as Markdown, as JSON."""
    assert main(["endpoints", "--location", "norwayeast", "--feature", "gpu", "--format", "json"]) == 0
    values = [one["to"]["value"] for one in json.loads(capsys.readouterr().out)["endpoints"]]
    assert "*.hcp.norwayeast.azmk8s.io" in values
    assert "nvidia.github.io" in values
    assert main(["endpoints", "--location", "chinaeast2"]) == 0
    assert "*.hcp.chinaeast2.cx.prod.service.azk8s.cn" in capsys.readouterr().out


def test_query_walks_one_flow(capsys: pytest.CaptureFixture[str]) -> None:
    """Status and words agree."""
    flow = ["--from", "snet-system", "--to", "AzureCloud.eastus", "--port", "443"]
    assert main(["query", *scan_of("konnectivity")[1:], *flow]) == 1
    said = capsys.readouterr().out
    assert said.startswith("BLOCKED  TCP 443 to AzureCloud.eastus from vnet-spoke/snet-system")
    assert "deny-all-out" in said
    assert main(["query", *scan_of("sound")[1:], *flow]) in (0, 4)
    assert (
        main(["query", *scan_of("sound")[1:], "--from", "snet-none", "--to", "1.2.3.4", "--port", "443"]) == 3
    )
