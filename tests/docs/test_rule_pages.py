"""Every rule's page: its headings, and its two examples, judged as the command line would judge them."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.generate import rules as generated

from aks_egress.checks.registry import RULES
from aks_egress.engine import judge
from aks_egress.findings.report import Report, Severity
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import record, replace
from aks_egress.settings import Settings
from aks_egress_scan import config
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import Parameters, Source

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "policies/aks_egress/checks/pages"
HEADINGS = [
    "What it means",
    "Why it matters",
    "What breaks",
    "How to fix it",
    "Example",
    "Mended",
    "Source",
]
FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = {"tunnel", "cloud"}


@record(frozen=True, slots=True)
class Page:
    """A page taken apart: what stands before the first heading, and the text of each section."""

    head: str
    sections: dict[str, str]


def parsed(text: str) -> Page:
    """Headings inside fences are no headings."""
    fenced = [range(*one.span()) for one in FENCE.finditer(text)]
    heads = [
        one
        for one in re.finditer(r"^## (.*)$", text, re.MULTILINE)
        if not any(one.start() in span for span in fenced)
    ]
    ends = [one.start() for one in heads[1:]] + [len(text)]
    sections = {one[1]: text[one.end() : end].strip() for one, end in zip(heads, ends, strict=True)}
    assert len(sections) == len(heads), "a heading stands twice"
    return Page(text[: heads[0].start()] if heads else text, sections)


@functools.cache
def page(code: str) -> Page:
    return parsed(RULES[code].page)


def block(section: str, kind: str) -> re.Match[str] | None:
    """The fence whose info string begins so; at most one."""
    found = [one for one in FENCE.finditer(section) if one["info"].startswith(kind)]
    assert len(found) <= 1, f"{len(found)} blocks of {kind}"
    return found[0] if found else None


def template(code: str, section: str) -> tuple[str, dict[str, str]]:
    """The text of a section's template and the options in its fence."""
    found = block(page(code).sections[section], "json arm")
    if found is None:  # a configuration mends it
        assert block(page(code).sections[section], "toml aks-egress"), f"nothing to judge under {section}"
        assert section == "Mended"
        return '{"resources": []}', template(code, "Example")[1]
    options = dict(word.split("=", 1) for word in found["info"].split()[2:])
    assert set(options) <= OPTIONS
    return found["body"], options


def overlaid(first: str, second: str) -> str:
    """The example with each resource of the mended block in the place of its namesake, or added."""
    rows = {_key(one): one for one in json.loads(first)["resources"]}
    rows |= {_key(one): one for one in json.loads(second)["resources"]}
    return json.dumps({"resources": list(rows.values())}, indent=1)


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["type"].casefold(), row["name"].casefold()


def settings(code: str, section: str, tmp_path: Path) -> Settings:
    """The configuration under a section; the mended network keeps the example's unless it has its own."""
    for wanted in (section, "Example"):
        found = block(page(code).sections[wanted], "toml aks-egress")
        if found is not None:
            file = tmp_path / "aks-egress.toml"
            file.write_text(found["body"], encoding="utf-8")
            return config.read(str(file)).settings
    return Settings()


def judged(code: str, section: str, tmp_path: Path) -> Report:
    text, options = template(code, section)
    if section == "Mended":
        text = overlaid(template(code, "Example")[0], text)
    chosen = replace(
        settings(code, section, tmp_path),
        tunnel=options.get("tunnel", "auto"),
        cloud=options.get("cloud", ""),
    )
    documents = READER.read(Source("template.json", text.encode()), Parameters())
    return judge(documents, chosen, ServiceTags())


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert sorted(one.stem for one in PAGES.glob("*.md")) == sorted(RULES)


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_page_has_its_headings_in_their_order(code: str) -> None:
    found, rule = page(code), RULES[code]
    assert found.head == f"# {code} {rule.name}\n\n{str(rule.severity).capitalize()}: {rule.title}.\n\n"
    assert list(found.sections) == HEADINGS
    assert [name for name, text in found.sections.items() if not text] == []
    assert re.search(r"^- <?https://\S+", found.sections["Source"], re.MULTILINE)


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_page_fits_a_terminal(code: str) -> None:
    """Prose in 100 columns, templates in 120; addresses stay whole."""
    text = RULES[code].page
    bodies = "".join(one["body"] for one in FENCE.finditer(text))
    prose = [line for line in FENCE.sub("", text).splitlines() if "https://" not in line]
    assert [line for line in prose if len(line) > 100] == []
    assert [line for line in prose if line.count("`") % 2] == [], (
        "an error text is cut in two: nobody finds it"
    )
    assert [line for line in bodies.splitlines() if len(line) > 120] == []


@pytest.mark.parametrize("code", sorted(RULES))
def test_the_example_fires_the_rule(code: str, tmp_path: Path) -> None:
    report = judged(code, "Example", tmp_path)
    assert report.clusters, "the example has no cluster"
    assert code in {one.rule for one in report.findings}


@pytest.mark.parametrize("code", sorted(RULES))
def test_the_mended_network_is_quiet(code: str, tmp_path: Path) -> None:
    report = judged(code, "Mended", tmp_path)
    assert report.clusters
    assert [one.message for one in report.findings if one.rule == code] == []
    assert [f"{one.rule} {one.message}" for one in report.findings if one.severity is Severity.ERROR] == []


@pytest.mark.parametrize("code", sorted(RULES))
def test_only_what_was_mended_changed(code: str) -> None:
    """A mended block that repeats what it does not change would hide what it does change."""
    before = {_key(one): one for one in json.loads(template(code, "Example")[0])["resources"]}
    after = json.loads(template(code, "Mended")[0])["resources"]
    assert [one["name"] for one in after if before.get(_key(one)) == one] == []
    assert after or block(page(code).sections["Mended"], "toml aks-egress"), "nothing was mended"


def test_the_documentation_is_generated_unchanged() -> None:
    """`make generate` writes it anew."""
    wanted = generated.texts()
    folder = ROOT / generated.FOLDER
    assert sorted(one.name for one in folder.iterdir()) == sorted(wanted)
    assert [name for name, text in wanted.items() if (folder / name).read_text("utf-8") != text] == []


def test_the_index_leads_to_every_page() -> None:
    index = generated.texts()["README.md"]
    assert [code for code in RULES if f"]({code}.md)" not in index] == []
