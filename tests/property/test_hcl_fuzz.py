"""Whatever bytes come, Terraform source is read or refused with a sentence; nothing else happens."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tree_sitter_hcl")

from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.terraform_source import READER

HERE = Path(__file__).parents[2]
GENUINE = sorted(
    [
        *HERE.glob("examples/*/terraform/*.tf"),
        *HERE.glob("tests/cases/terraform/*.tf"),
        *HERE.glob("tests/hcl_root/*.tf"),
    ]
)
PIECES = (
    b"${", b"}", b"%{ if true }", b"%{ endif }", b"<<-EOT\n", b"\nEOT\n", b'"', b"\\", b"[", b"]", b"{", b"(", b")",
    b"*", b".*.", b"[*]", b"...", b"for x in", b"? :", b"null", b"-", b"1e999", b"0.1", b"each.value", b"count.index",
    b"local.", b"var.", b"\x00", b"\xff", "é".encode(), b"\r\n", b"# ", b"/*", b"dynamic \"x\" {", b"\nlocals {\n", b"~}",
)  # fmt: skip


def attempt(name: str, data: bytes, parameters: Parameters | None = None) -> None:
    """Read it, and every body in it."""
    try:
        documents = READER.read(Source(name, data), parameters or Parameters())
    except MalformedError:
        return
    for document in documents:
        for resource in document.resources:
            resource.get()
            document.locate(resource.origin)


@given(st.binary(max_size=300), st.sampled_from(["x.tf", "x.tf.json"]))
@settings(max_examples=300, deadline=None)
def test_random_bytes(data: bytes, name: str) -> None:
    attempt(name, data)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_pieces_of_the_language_in_any_order(data: bytes) -> None:
    attempt(
        "x.tf", b"locals {\n  x = " + data + b'\n}\nresource "azurerm_subnet" "s" {\n  name = local.x\n}\n'
    )


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_as_the_value_of_a_variable(text: str) -> None:
    source = b'variable "x" { type = list(string) }\nresource "azurerm_subnet" "s" {\n  name = var.x[0]\n}\n'
    attempt("x.tf", source, Parameters((), (("x", text),)))


@pytest.mark.parametrize("path", GENUINE, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_mutations_of_genuine_files(path: Path) -> None:
    chance = random.Random(path.name)
    original = path.read_bytes()
    for _ in range(40):
        data = bytearray(original)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    del data[at : at + chance.randrange(1, 40)]
                case 1:
                    data[at:at] = chance.choice(PIECES)
                case 2:
                    data[at] = chance.randrange(256)
                case _:
                    other = chance.randrange(len(data))
                    data[at:at] = data[other : other + chance.randrange(1, 60)]
        attempt("x.tf", bytes(data))
