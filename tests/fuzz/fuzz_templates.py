"""A fuzz target for atheris: whatever bytes a template, a Bicep file or a Terraform file holds, reading it
ends in documents or in MalformedError, never in anything else.

    python tests/fuzz/fuzz_templates.py -runs=100000
    python tests/fuzz/fuzz_templates.py -max_total_time=600 CORPUS

Needs the extra `fuzz`.  All other arguments are libFuzzer's.  Without a folder for the corpus it starts from
the examples and the inputs of the tests.  The first byte of an input says which dialect the rest is in.
It is no part of `make test`, which mutates the same inputs without looking at coverage.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

try:
    import atheris
except ImportError:
    sys.exit("fuzzing needs atheris: `pip install 'aks-egress[fuzz]'`")

with atheris.instrument_imports(include=["aks_egress_scan.readers", "aks_egress.arm", "aks_egress.values"]):
    for package in ("arm", "expressions", "bicep_lang", "hcl", "mapping", "terraform"):
        place = f"aks_egress_scan.readers.{package}"
        for found in pkgutil.walk_packages(importlib.import_module(place).__path__, f"{place}."):
            importlib.import_module(found.name)  # what is imported when first called would not be watched
    from aks_egress.arm.resources import Document
    from aks_egress_scan.readers import arm_template, bicep, terraform_source
    from aks_egress_scan.readers.base import MalformedError, Parameters, Reader, Source

#: what the first byte says: the name of the file, the reader, and where examples of it lie
DIALECTS: Final[tuple[tuple[str, Reader, str], ...]] = (
    ("main.json", arm_template.READER, "examples/**/arm/*.json"),
    ("main.bicep", bicep.READER, "examples/**/*.bicep"),
    ("main.bicepparam", bicep.READER, "examples/**/*.bicepparam"),
    ("main.tf", terraform_source.READER, "{examples,tests}/**/*.tf"),
    ("main.tf.json", terraform_source.READER, "tests/**/*.tf.json"),
)
#: what stands beside the file that is read
BESIDE: Final = {
    "main.bicep": b"param a string = 'a'\n@export()\nvar b = { c: [1] }\noutput o string = a\n",
    "main.json": b'{"$schema": "x/deploymentTemplate.json#", "resources": [], "outputs": {"o": {"value": 1}}}',
    "terraform.tfvars": b'a = "b"\n',
}
#: an expression of a template is an input of its own: short ones reach far
EXPRESSION: Final = (
    '{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",'
    ' "languageVersion": "2.0", "parameters": {"p": {"type": "array"}, "q": {"type": "string", "defaultValue": "q"}},'
    ' "variables": {"v": {"copy": [{"name": "c", "count": 2, "input": "[copyIndex(\'c\')]"}]}},'
    ' "resources": {"x": {"type": "Microsoft.Network/networkSecurityGroups", "name": "n", "tags": {"t": "[%s]"}}}}'
)
EXPRESSIONS: Final = (
    "union(variables('v'), createObject('a', reference('x', '2023-11-01', 'full').tags))",
    "map(range(0, 3), lambda('i', format('{0}-{1}', lambdaVariables('i'), parameters('p')[0])))",
    "if(contains(parameters('p'), parameters('q')), cidrSubnet('10.0.0.0/16', 24, 1), json('{\\u0022a\\u0022: [1]}').a)",
    "reduce(filter(createArray(1, 2), lambda('x', 'i', less(lambdaVariables('x'), 2))), 0, lambda('a', 'b', add(lambdaVariables('a'), lambdaVariables('b'))))",
)


def source(name: str, data: bytes) -> Source:
    """A file with a few others beside it."""
    known = {**BESIDE, name: data}

    def sibling(wanted: str) -> Source | None:
        plain = wanted.removeprefix("./")
        return source(plain, known[plain]) if plain in known else None

    return Source(name, data, sibling, lambda folder: [name, "terraform.tfvars"] if folder == "." else None)


def one_input(data: bytes) -> None:
    """Read one input; anything but documents and a clear refusal is raised."""
    kind, rest = data[0] if data else 0, data[1:]
    if kind % (len(DIALECTS) + 1) == len(DIALECTS):
        text = rest.decode("utf-8", "replace").replace("\\", "").replace('"', "'")
        name, reader, rest = "main.json", DIALECTS[0][1], (EXPRESSION % text).encode()
    else:
        name, reader, _ = DIALECTS[kind % (len(DIALECTS) + 1)]
    given = source(name, rest)
    reader.claims(given)
    try:
        documents = reader.read(given, Parameters())
    except MalformedError as refused:
        if not refused.message or not refused.path:
            raise
        return
    for document in documents:
        _look_at(document)


def _look_at(document: Document) -> None:
    """What a report does with a document."""
    for resource in document.resources:
        resource.get("properties")
        document.locate(resource.place("properties", "securityRules", 0))
    for notice in document.notices:
        document.locate(notice.origin)


def seeds() -> Iterator[bytes]:
    """An input for every example of every dialect."""
    for number, (_, _, pattern) in enumerate(DIALECTS):
        folders = ("examples", "tests") if pattern.startswith("{") else (pattern.partition("/")[0],)
        for folder in folders:
            for path in sorted((ROOT / folder).glob(pattern.partition("/")[2])):
                yield bytes([number]) + path.read_bytes()
    for text in EXPRESSIONS:
        yield bytes([len(DIALECTS)]) + text.encode()


def words() -> Iterator[str]:
    """A dictionary for libFuzzer: the signs and words of the examples, each met more than once."""
    met: dict[str, int] = {}
    for data in seeds():
        for word in re.findall(r'[A-Za-z_]\w{1,30}\(?|[^\w\s\\"]{1,3}', data[1:].decode("utf-8", "replace")):
            met[word] = met.get(word, 0) + 1
    yield from (f'"{word}"' for word, times in sorted(met.items()) if times > 1 and word.isascii())


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer's arguments say that it is enough."""
    with tempfile.TemporaryDirectory() as corpus, tempfile.TemporaryDirectory() as more:
        dictionary = Path(more) / "words"
        dictionary.write_text("\n".join(words()) + "\n", "utf-8")
        if not any(not one.startswith("-") for one in arguments[1:]):
            for number, data in enumerate(seeds()):
                (Path(corpus) / f"{number:04}").write_bytes(data)
            arguments = [*arguments, corpus]
        limits = {"-dict": str(dictionary), "-max_len": "20000", "-timeout": "60", "-rss_limit_mb": "4096"}
        given = {one.partition("=")[0] for one in arguments}
        atheris.Setup(
            [*arguments, *(f"{name}={value}" for name, value in limits.items() if name not in given)],
            one_input,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
