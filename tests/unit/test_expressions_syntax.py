"""The grammar of expressions: what is read, and where it breaks."""

from __future__ import annotations

import pytest

from aks_egress_scan.readers.expressions.syntax import (
    MAX_DEPTH,
    Access,
    Call,
    Literal,
    SyntaxProblemError,
    is_expression,
    literal,
    parse,
)


def test_a_call_keeps_its_spelling_and_is_found_without_case() -> None:
    node = parse("[ResourceGroup().Location]")

    assert node == Access(Call("resourcegroup", (), "ResourceGroup"), Literal("Location"), safe=False)


def test_functions_may_have_a_namespace() -> None:
    assert parse("[contoso.name('a')]") == Call("contoso.name", (Literal("a"),), "contoso.name")


def test_accesses_chain_and_may_be_safe() -> None:
    node = parse("[a().b[0].?c[?'d']]")

    assert isinstance(node, Access)
    assert (node.key, node.safe) == (Literal("d"), True)


def test_the_mark_that_promises_a_value_changes_nothing() -> None:
    assert parse("[a()!.b]") == parse("[a().b]")


def test_line_breaks_and_blanks_are_skipped() -> None:
    assert parse("[concat(\n  'a' ,\t-5\n)]") == parse("[concat('a',-5)]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[a()]", True), ("[[a()]", False), ("[a()", False), ("a()]", False), ("[]", True), ("", False)],
)
def test_only_text_in_brackets_is_an_expression(text: str, expected: bool) -> None:
    assert is_expression(text) is expected


def test_a_doubled_bracket_stands_for_one() -> None:
    assert literal("[[concat('a')]") == "[concat('a')]"


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("[]", 2, "a value is expected"),
        ("[concat('a]", 9, "text is not closed"),
        ("[concat('a',)]", 13, "a value is expected"),
        ("[concat('a') 'b']", 14, "the end is expected"),
        ("[name]", 6, "`(` is missing after `name`"),
        ("[a(1]", 5, "`)` is missing"),
        ("[a().]", 6, "a property name is expected"),
        ("[a(#)]", 4, "`#` does not belong here"),
        ("[a(1e999)]", 4, "beyond all range"),
    ],
)
def test_a_broken_expression_says_where(text: str, column: int, said: str) -> None:
    with pytest.raises(SyntaxProblemError) as caught:
        parse(text)

    assert said in caught.value.message
    assert caught.value.column == column


@pytest.mark.parametrize("text", ["a(" * 500 + ")" * 500, "a()" + ".b" * 500, "a()" + "[0]" * 500])
def test_absurd_nesting_is_refused(text: str) -> None:
    with pytest.raises(SyntaxProblemError, match=str(MAX_DEPTH)):
        parse(f"[{text}]")
