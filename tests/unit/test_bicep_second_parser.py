"""Another parser of Bicep, made by others, finds the same declarations at the same lines.

tree-sitter-bicep reads a large part of the language; where it reads a file without an error, the two must agree.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aks_egress_scan.readers.bicep_lang.parser import parse

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "examples").rglob("*.bicep"))

_DECLARATIONS = {
    "parameter_declaration": "Parameter",
    "variable_declaration": "Variable",
    "resource_declaration": "Resource",
    "module_declaration": "Module",
    "output_declaration": "Output",
    "type_declaration": "TypeAlias",
    "user_defined_function": "Function",
}


def by_tree_sitter(text: str) -> list[tuple[str, str, int]] | None:
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_bicep")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    root = parser.parse(text.encode()).root_node
    if root.has_error:
        return None
    found = []
    for node in root.children:
        if node.type in _DECLARATIONS:
            name = next(child for child in node.children if child.type == "identifier")
            found.append((_DECLARATIONS[node.type], name.text.decode(), node.start_point[0] + 1))
    return found


def by_ours(text: str) -> list[tuple[str, str, int]]:
    file, source = parse(text, "main.bicep")
    kinds = set(_DECLARATIONS.values())
    return [
        (type(one).__name__, one.name, source.line(one.at)) for one in file if type(one).__name__ in kinds
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_both_parsers_find_the_same_declarations(path: Path) -> None:
    text = path.read_text("utf-8")
    theirs = by_tree_sitter(text)
    if theirs is None:
        pytest.skip("tree-sitter-bicep does not read this file")
    assert by_ours(text) == theirs


def test_both_parsers_find_the_same_declarations_in_a_rich_file() -> None:
    text = """
param a string = 'x'
var b = [for i in range(0, 3): {
  c: i
}]

/* a
   comment */
resource d 'Microsoft.X/y@2024-01-01' = if (a == 'x') {
  name: '${a}-${b[0].c}'
}
module e './e.bicep' = [for x in b: {
  name: 'e${x.c}'
}]
output f string = d.id
"""
    theirs = by_tree_sitter(text)
    assert theirs is not None
    assert by_ours(text) == theirs
    assert len(theirs) == 5
