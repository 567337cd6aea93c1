"""Whatever stands in a Bicep file, reading it gives documents or MalformedError, nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.bicep import READER

EXAMPLES = 150

SEED = """targetScope = 'resourceGroup'
import { a as b } from 'shared.bicep'
import * as all from 'shared.bicep'
type rule = { name: string, port: int? }
@secure()
param key string = newGuid()
@allowed(['a', 'b'])
param names array = ['a', 'b']
param rules rule[] = [{ name: 'x', port: 443 }]
var text = '''
plain
'''
var mixed = { '${names[0]}-k': b, ...all.c, n: -1 }
func twice(x string) string => '${x}${x}'
resource old 'Microsoft.Network/virtualNetworks@2024-05-01' existing = {
  name: 'old'
  scope: resourceGroup('other')
}
resource nsg 'Microsoft.Network/networkSecurityGroups@2024-05-01' = [for (n, i) in names: if (i > 0) {
  name: 'nsg-${n}'
  properties: {
    securityRules: [for r in rules: {
      name: r.name
      properties: { port: r.?port ?? 80, pre: old.properties.x[?0] }
    }]
  }
}]
resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: twice('v')
  resource s 'subnets' = {
    name: 's'
    properties: { nsg: nsg[1].id, all: map(nsg, g => g.id), last: names[^1] }
  }
}
module m 'shared.bicep' = if (length(names) == 2 || !false) {
  name: 'm'
  params: { p: vnet::s.id }
}
output o string = m.?outputs.q ?? loadTextContent('shared.bicep')
"""
SHARED = "@export()\nvar a = 1\n@export()\nvar c = { d: 2 }\nparam p string = ''\noutput q string = p\n"
PARAMETERS = (
    "using 'main.bicep'\nvar x = 1\nparam names = ['a', 'b${x}']\nparam key = readEnvironmentVariable('K')\n"
)

FRAGMENTS = st.sampled_from(
    [
        *"{}[]()'\"\\$@#?:!.,=|&<>+-*/%^\n\r\t\x00\ufeff0a_é\U0001f600",
        "${", "'''", "$'''", "...", ".?", "[?", "??", "::", "=>", "//", "/*", "*/", "\\u{", "null", "true", "for ", " in ", "if (",
        "resource ", "module ", "existing ", "param ", "var ", "vnet", "nsg", "names", "old.id", "m.outputs.o", "99999999999999999999",
        "@batchSize(0)\n", "type t = t[]\n", "var names = names\n", "copyIndex()", "reference('vnet')", "listKeys()", "any(", "loadJsonContent('shared.bicep')",
    ]
)  # fmt: skip


def read(main: str | bytes, path: str = "main.bicep") -> None:
    files = {"main.bicep": SEED, "shared.bicep": SHARED, "main.bicepparam": PARAMETERS}

    def source(name: str) -> Source | None:
        data = main if name == path else files.get(name)
        if data is None:
            return None
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        return Source(name, raw, source)

    given_source = source(path)
    assert given_source is not None
    try:
        documents = READER.read(given_source, Parameters())
    except MalformedError as error:
        problem = error
    else:
        problem = None
    if problem is not None:
        assert problem.message
        assert problem.path
        return
    for document in documents:
        for resource in document.resources:
            resource.get("properties")
            document.locate(resource.place("properties"))


def test_the_seeds_themselves_are_read() -> None:
    source = Source(
        "main.bicep",
        SEED.encode(),
        lambda name: Source(name, SHARED.encode()) if name == "shared.bicep" else None,
    )
    (document,) = READER.read(source, Parameters())
    assert [one.name for one in document.resources] == ["nsg-b", "vv", "s"]


@st.composite
def mutated(draw: st.DrawFn, seed: str) -> str:
    """The seed with parts cut out, doubled, moved or replaced."""
    text = seed
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:end] + text[start:end] + text[end:]
            case 2:
                text = text[:start] + draw(FRAGMENTS) + text[end:]
            case _:
                target = draw(st.integers(0, len(text)))
                text = text[:target] + text[start:end] + text[target:]
    return text


@settings(max_examples=EXAMPLES, deadline=None)
@given(mutated(SEED))
def test_mutated_sources_are_read_or_refused(text: str) -> None:
    read(text)


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(mutated(PARAMETERS))
def test_mutated_parameters_files_are_read_or_refused(text: str) -> None:
    read(text, "main.bicepparam")


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(mutated(SHARED))
def test_mutated_modules_are_read_or_refused(text: str) -> None:
    read(text, "shared.bicep")


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_random_fragments_are_read_or_refused(text: str) -> None:
    read(text)


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    read(data)


def test_every_prefix_is_read_or_refused() -> None:
    for end in range(0, len(SEED), 7):
        read(SEED[:end])
