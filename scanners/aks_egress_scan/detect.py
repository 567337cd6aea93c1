"""Which reader an input is for, decided by its name and its first bytes, so that only that reader is imported."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from aks_egress.arm.resources import Kind
from aks_egress.records import record
from aks_egress_scan.readers.base import Reader, Source

#: how much of an input is looked at
HEAD = 65_536


@record(frozen=True, slots=True)
class Dialect:
    """One input format: its reader's module, the report's word for it, and what hints at it.

    `suffixes` name files that are of this dialect whatever they hold; `signs` are texts, one of which
    stands near the beginning of nearly every input of it.
    """

    module: str
    kind: Kind
    title: str
    suffixes: tuple[str, ...] = ()
    signs: tuple[bytes, ...] = ()


#: asked in this order, so the narrower claim comes first
DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        "terraform_plan",
        Kind.TERRAFORM_PLAN,
        "Terraform plan JSON",
        (),
        (b'"planned_values"', b'"terraform_version"', b'"resource_changes"', b'"format_version"'),
    ),
    Dialect(
        "terraform_state",
        Kind.SNAPSHOT,
        "Terraform state",
        (".tfstate",),
        (b'"terraform_version"', b'"root_module"', b'"lineage"'),
    ),
    Dialect("snapshot", Kind.SNAPSHOT, "aks-egress snapshot", (), (b'"aks-egress/snapshot',)),
    Dialect("pulumi_preview", Kind.PULUMI_PREVIEW, "Pulumi preview", (), (b'"urn:pulumi:',)),
    Dialect("pulumi_stack", Kind.PULUMI_STACK, "Pulumi stack export", (), (b'"deployment"', b'"urn:pulumi:')),
    Dialect(
        "arm_template",
        Kind.ARM_TEMPLATE,
        "ARM template",
        (),
        (b"eploymentTemplate.json", b'"contentVersion"', b'"Microsoft.'),
    ),
    Dialect("bicep", Kind.BICEP, "Bicep", (".bicep", ".bicepparam")),
    Dialect("terraform_source", Kind.TERRAFORM_SOURCE, "Terraform source", (".tf", ".tf.json")),
)

#: dialects that the name alone tells
BY_NAME = frozenset({Kind.BICEP, Kind.TERRAFORM_SOURCE})

#: suffixes that a folder is searched for; other files are read only when they are named
WANTED = (".json", ".jsonc", ".tfstate", ".bicep", ".tf", ".template", ".tfplan", ".plan")

_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def head_of(data: bytes) -> bytes:
    """The beginning of an input as UTF-8 without a byte order mark, whatever Unicode it is written in."""
    first = data[:HEAD]
    encoding = _UTF16.get(first[:2])
    if encoding:
        first = first[2 : len(first) // 2 * 2].decode(encoding, "replace").encode("utf-8", "replace")
    return first.removeprefix(b"\xef\xbb\xbf").lstrip()


def is_parameter_file(path: str, head: bytes) -> bool:
    """Whether it holds parameters of a template or variables of Terraform, and no definition."""
    name = path.casefold()
    return (
        name.endswith((".tfvars", ".tfvars.json"))
        or b"eploymentParameters.json" in head[:4096]
        or (
            name.endswith((".parameters.json", ".parameters.jsonc")) and b"eploymentTemplate.json" not in head
        )
    )


def candidates(path: str, head: bytes) -> Iterator[Dialect]:
    """The dialects an input may be of, the likely ones first."""
    name = path.casefold()
    by_name = [one for one in DIALECTS if any(name.endswith(suffix) for suffix in one.suffixes)]
    if by_name:
        yield from by_name
        return
    if not head.startswith((b"{", b"[", b"//", b"/*")):
        return
    likely = [one for one in DIALECTS if any(sign in head for sign in one.signs)]
    yield from likely
    yield from (one for one in DIALECTS if one not in likely and one.kind not in BY_NAME)


def reader_of(dialect: Dialect) -> Reader | None:
    """The dialect's reader; None where this version has none."""
    name = f"aks_egress_scan.readers.{dialect.module}"
    try:
        reader: Reader = import_module(name).READER
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise
    return reader


def claimant(source: Source) -> tuple[Dialect, Reader | None] | None:
    """Whose input this is; None where nobody claims it.  A dialect without a reader is answered as such."""
    head = head_of(source.data)
    for dialect in candidates(source.path, head):
        reader = reader_of(dialect)
        if reader is None:
            if dialect.kind in BY_NAME or any(sign in head for sign in dialect.signs[:1]):
                return dialect, None
        elif reader.claims(source):
            return dialect, reader
    return None
