"""Nothing that a definition names can act on the place a report is printed to."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reporters.reports import HOSTILE, REPORTS, hostile

from aks_egress_scan.reporters import REPORTERS, render
from aks_egress_scan.reporters.escaping import json_text, markdown, markdown_code, visible, xml
from aks_egress_scan.reporters.style import Style

ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ud800-\udfff]"
)


@pytest.mark.parametrize("form", sorted(REPORTERS))
def test_no_format_passes_a_control_character_on(form: str) -> None:
    """Neither escape sequences, nor direction overrides, nor halves of surrogate pairs leave a reporter."""
    assert not ACTS.search(render(hostile(), form))


@pytest.mark.parametrize("form", sorted(REPORTERS))
@pytest.mark.parametrize("name", sorted(REPORTS))
def test_a_report_is_the_same_every_time_and_ends_in_one_line_break(form: str, name: str) -> None:
    """Two runs give the same bytes."""
    first = render(REPORTS[name](), form)
    assert first == render(REPORTS[name](), form)
    assert first.endswith("\n")
    first.encode("utf-8")


def test_colour_codes_are_only_our_own() -> None:
    """With colour on, every escape sequence is one of a closed list."""
    text = render(hostile(), "text", Style(colour=True, width=80))
    assert set(re.findall("\x1b\\[[0-9;]*m", text)) <= {
        f"\x1b[{codes}m" for codes in ("0", "1", "2", "31", "32", "33", "36", "31;1", "33;1", "36;1", "32;1")
    }
    assert not ACTS.search(re.sub("\x1b\\[[0-9;]*m", "", text))


def test_a_name_cannot_start_a_workflow_command() -> None:
    """Every line that is a command is one of ours, and no property of it was forged."""
    lines = render(hostile(), "github").splitlines()
    commands = [line for line in lines if line.lstrip().startswith(("::", "##"))]
    assert len(commands) == 4
    for line in commands:
        properties = re.fullmatch(r"::(?:error|warning|notice) ((?:[a-z]+=[^,:]*,?)+)::.*", line)
        assert properties is not None
        assert [one.split("=")[0] for one in properties[1].split(",")] == ["file", "line", "title"]


class _Tags(HTMLParser):
    """Collects what a browser would build."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_name_cannot_become_an_element_of_the_page() -> None:
    """The page of hostile names has the elements and attributes of the harmless one, and shows the name whole."""
    harmless, attacked = _Tags(), _Tags()
    harmless.feed(render(REPORTS["rich"](), "html"))
    page = render(hostile(), "html")
    attacked.feed(page)
    assert attacked.tags <= harmless.tags
    assert attacked.attributes <= harmless.attributes
    assert "script" not in attacked.tags
    assert visible(HOSTILE) in attacked.text
    assert "http" not in re.sub(r"https://evil\.example", "", page).replace("http-equiv", "")


def test_xml_survives_every_name_and_shows_it_whole() -> None:
    """A strict parser reads the names back."""
    tree = ET.fromstring(render(hostile(), "junit"))  # noqa: S314 - our own text
    assert {
        case.get("name")
        for case in tree.iter("testcase")
        if case.get("classname") == f"{visible(HOSTILE)}.platform"
    }
    assert any(visible(HOSTILE) in (case.get("name") or "") for case in tree.iter("testcase"))


def test_json_keeps_every_name_as_it_is() -> None:
    """JSON escapes instead of spelling out, so that consumers see the true name."""
    assert json.loads(render(hostile(), "json"))["clusters"][0]["name"] == HOSTILE


MARKUP = re.compile(r"<script|</details|\]\(|@here|https://|\*\*b\*\*|^\s*[#>]", re.MULTILINE)


def test_a_name_cannot_become_markup_in_a_comment() -> None:
    """No element, link, mention or bold text comes from a name, outside code spans."""
    text = re.sub(r"`[^`\n]*`", "", render(hostile(), "markdown"))
    ours = (
        text.replace("### ", "")
        .replace("<details>", "")
        .replace("\n</details>", "")
        .replace("<!-- aks-egress -->", "")
    )
    assert not MARKUP.search(ours)
    assert all(line.count("|") == 5 for line in text.splitlines() if line.startswith("|"))


@given(st.text())
def test_visible_text_shows_nothing_that_acts(text: str) -> None:
    """For any text at all."""
    assert not ACTS.search(visible(text))
    assert "\n" not in visible(text)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_what_xml_escapes_reads_back(text: str) -> None:
    """Attribute and element give the visible text back."""
    tree = ET.fromstring(f'<a b="{xml(text)}">{xml(text)}</a>')  # noqa: S314 - our own text
    assert tree.get("b") == tree.text or not text
    wanted = visible(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    assert (tree.text or "") == wanted


@given(st.text(alphabet="`|<>*_@[]()ab \\!#&;"))
def test_a_code_span_ends_where_it_ends(text: str) -> None:
    """Nothing in a name closes its code span or its table cell."""
    span = markdown_code(text)
    if span.startswith("`"):
        assert span.count("`") == 2
        assert "|" not in span
    elif span:
        assert re.fullmatch(r"<code>[^<>|`]*</code>", span)
    assert not set(markdown(text)) & set("`|<>*_@[]()\\!")


@pytest.mark.parametrize("command", ["##vso[task.setvariable variable=a]b", "##[add-mask]b", "##VSO[x]y"])
def test_no_text_is_a_command_of_a_pipelines_log(command: str) -> None:
    """Azure Pipelines and old GitHub runners take one anywhere in a line; JSON spells it otherwise."""
    for said in (visible(f"rule {command}"), markdown_code(command), xml(command), json_text([command])):
        assert not re.search(r"##(vso)?\[", said, re.IGNORECASE)
    assert json.loads(json_text([command, "###"])) == [command, "###"]


@pytest.mark.parametrize("command", ["::error::x", "::set-output name=a::b", "::error", "a ::add-mask::b"])
def test_no_word_begins_a_workflow_command(command: str) -> None:
    """Reports are wrapped between words, so that any word can begin a line."""
    assert not re.search(r"(^|\s)::", visible(command))


@pytest.mark.parametrize(
    "address", ["::/0", "::1", "to ::ffff:10.0.0.0/104", "fd00::", "Std::Vec", "# 1 ## 2"]
)
def test_addresses_and_plain_signs_stay_as_they_are(address: str) -> None:
    """Only what a log acts on is spelled out."""
    assert visible(address) == address
