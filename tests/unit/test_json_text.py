"""JSON text: strict parsing, ARM's comments, and lines found on demand."""

from __future__ import annotations

import json

import pytest

from aks_egress_scan.readers.base import MalformedError, Source
from aks_egress_scan.readers.json_text import MAX_DEPTH, JsonText, load

PLAN = """{
  "name": "a",
  "rules": [
    {"port": 1, "note": "{[\\"}]"},

    {
      "port": 2,
      "deep": [[1, 2],
        [3]]
    }
  ],
  "Last": {}
}
"""


def read(text: str | bytes, comments: bool = False) -> JsonText:
    return JsonText("in.json", text.encode() if isinstance(text, str) else text, comments=comments)


def broken(text: str | bytes, comments: bool = False) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        read(text, comments)
    assert caught.value.path == "in.json"
    return caught.value


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ((), 1),
        (("name",), 2),
        (("rules",), 3),
        (("rules", 0), 4),
        (("rules", 0, "note"), 4),
        (("rules", 1), 6),
        (("rules", 1, "port"), 7),
        (("rules", 1, "deep", 0, 1), 8),
        (("rules", 1, "deep", 1, 0), 9),
        (("Last",), 12),
    ],
)
def test_a_pointer_leads_to_its_line(pointer: tuple[str | int, ...], line: int) -> None:
    assert read(PLAN).line_of(pointer) == line


def test_lines_do_not_depend_on_the_order_of_asking() -> None:
    text = read(PLAN)
    backwards = [text.line_of(p) for p in (("Last",), ("rules", 1, "port"), ("rules", 0), ("name",))]
    assert backwards == [12, 7, 4, 2]


def test_a_pointer_that_ends_nowhere_gives_its_deepest_part() -> None:
    assert read(PLAN).line_of(("rules", 1, "absent", "more")) == 6
    assert read(PLAN).line_of(("rules", 7)) == 3
    assert read(PLAN).line_of(("rules", "port")) == 3
    assert read(PLAN).line_of(("absent",)) is None


def test_names_match_without_case() -> None:
    assert read(PLAN).line_of(("Rules", 1, "PORT")) == 7
    assert read('{\n"A": 1,\n"a": 2}').line_of(("a",)) == 3


def test_every_line_of_a_long_text_is_right() -> None:
    rows = ",\n".join(f'{{"i": {i}, "t": "{"x" * 90}"}}' for i in range(3000))
    text = read(f'{{"rows": [\n{rows}\n]}}')
    assert [text.line_of(("rows", i, "i")) for i in (0, 1, 1500, 2999)] == [2, 3, 1502, 3001]


def test_byte_order_marks_and_utf_16_are_read() -> None:
    assert read(b'\xef\xbb\xbf{"a": "\xc3\xa9"}').value == {"a": "é"}
    assert read('{"a": 1}'.encode("utf-16")).value == {"a": 1}
    assert read('\ufeff{"a": 1}').line_of(("a",)) == 1


def test_broken_bytes_are_refused_with_their_line() -> None:
    error = broken(b'{\n"a": "\xff"}')
    assert (error.message, error.line) == ("this is not text in UTF-8", 2)


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ('{\n"a": 1,\n', "seems to be cut off", 3),
        ('{"a": "b', "not closed", 1),
        ('{"a": 1}\n{"b": 2}', "more after the end", 2),
        ('{"a": 1,\n "a": 2}', "`a` occurs twice", 2),
        ('{"b": {"a": 1},\n "c": {"a": 1, "\\u0061": 3}}', "`a` occurs twice", 2),
        ('[\n"NaN", NaN]', "NaN and Infinity", 2),
        ("[\n-Infinity]", "NaN and Infinity", 2),
        ("[1,\n1e999]", "beyond all range", 2),
        ("[1,\n" + "9" * 5000 + "]", "beyond all range", 2),
        ('{"a":\n"\\ud800"}', "half of a character pair", 1),
        ("", "empty", 1),
        (" \n ", "empty", 1),
        ("{'a': 1}", "property name in double quotes", 1),
        ('{"a": 1} // x', "more after the end", 1),
        ('["a\nb"]', "line break", 1),
        ("nonsense", "a value is expected", 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, words: str, line: int) -> None:
    error = broken(text)
    assert words in error.message
    assert error.line == line


def test_paired_surrogates_are_text() -> None:
    assert read('["\\ud83d\\ude00", "\\\\ud800"]').value == ["\U0001f600", "\\ud800"]


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 50_000])
@pytest.mark.parametrize("shape", ["[%s]", '{"a":%s}'])
def test_absurd_nesting_is_refused(depth: int, shape: str) -> None:
    opening, closing = shape.split("%s")
    assert "nested deeper" in broken(opening * depth + "1" + closing * depth).message


def test_nesting_up_to_the_limit_is_read_even_beside_brackets_in_strings() -> None:
    deep = "[" * MAX_DEPTH + '"}{][[["' + "]" * MAX_DEPTH
    assert isinstance(read(deep).value, list)
    assert "nested deeper" in broken(f"[{deep}]").message
    assert isinstance(read('["' + "[" * 5000 + '"]').value, list)


def test_comments_and_trailing_commas_go_without_moving_anything() -> None:
    text = """// first
{
  /* several
     lines */ "a": "http://x/*y*/", // why
  "b": [1, 2, /* three */ ],
  "c": "two
lines",
}
"""
    found = read(text, comments=True)
    assert found.value == {"a": "http://x/*y*/", "b": [1, 2], "c": "two\nlines"}
    assert [found.line_of((name,)) for name in "abc"] == [4, 5, 6]


def test_a_comment_that_never_ends_is_refused() -> None:
    assert broken('{"a": 1}\n/* and', comments=True).line == 2
    assert broken("/*/", comments=True).line == 1


def test_hostile_comment_openings_stay_linear() -> None:
    assert broken("/*" * 100_000, comments=True).line == 1
    assert broken('"' + '\\"' * 100_000, comments=True).line == 1


def test_load_reads_a_source() -> None:
    assert load(Source("x", b"[1,]"), comments=True).value == [1]
    with pytest.raises(MalformedError):
        load(Source("x", b"[1,]"))


def test_the_value_is_what_the_parser_says() -> None:
    assert read(PLAN).value == json.loads(PLAN)
