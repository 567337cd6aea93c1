"""Which reader an input is for, decided by its name and its first bytes, so that only that reader is imported.

Where the first bytes tell nothing (a plan whose keys somebody sorted begins with its configuration), the
members of the whole object decide.
"""

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
    stands near the beginning of nearly every input of it.  `members` are what its object always holds,
    each set enough, and `always` a text that every input of it has somewhere, and hardly anything else.
    """

    module: str
    kind: Kind
    title: str
    suffixes: tuple[str, ...] = ()
    signs: tuple[bytes, ...] = ()
    members: tuple[frozenset[str], ...] = ()
    always: bytes = b""


#: asked in this order, so the narrower claim comes first
DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        "terraform_plan",
        Kind.TERRAFORM_PLAN,
        "Terraform plan JSON",
        (),
        (b'"planned_values"', b'"terraform_version"', b'"resource_changes"', b'"format_version"'),
        (frozenset({"planned_values", "format_version"}), frozenset({"resource_changes", "configuration"})),
        b'"planned_values"',
    ),
    Dialect(
        "terraform_state",
        Kind.SNAPSHOT,
        "Terraform state",
        (".tfstate",),
        (b'"terraform_version"', b'"root_module"', b'"lineage"'),
        (frozenset({"terraform_version", "lineage"}), frozenset({"format_version", "values"})),
        b'"terraform_version"',
    ),
    Dialect(
        "snapshot",
        Kind.SNAPSHOT,
        "aks-egress snapshot",
        (),
        (b'"aks-egress/snapshot',),
        (frozenset({"schema", "collected", "resources"}),),
        b'"aks-egress/snapshot',
    ),
    Dialect(
        "pulumi_preview",
        Kind.PULUMI_PREVIEW,
        "Pulumi preview",
        (),
        (b'"urn:pulumi:',),
        (frozenset({"steps", "changeSummary"}),),
        b'"urn:pulumi:',
    ),
    Dialect(
        "pulumi_stack",
        Kind.PULUMI_STACK,
        "Pulumi stack export",
        (),
        (b'"deployment"', b'"urn:pulumi:'),
        (frozenset({"deployment", "version"}),),
        b'"urn:pulumi:',
    ),
    Dialect(
        "pulumi_yaml",
        Kind.PULUMI_PREVIEW,
        "Pulumi YAML",
        ("pulumi.yaml", "pulumi.yml"),
    ),
    Dialect(
        "arm_template",
        Kind.ARM_TEMPLATE,
        "ARM template",
        (),
        (b"eploymentTemplate.json", b'"contentVersion"', b'"Microsoft.'),
        (frozenset({"$schema", "resources"}),),
        b"eploymentTemplate.json",
    ),
    Dialect("bicep", Kind.BICEP, "Bicep", (".bicep", ".bicepparam")),
    Dialect("terraform_source", Kind.TERRAFORM_SOURCE, "Terraform source", (".tf", ".tf.json")),
)

#: dialects that the name alone tells
BY_NAME = frozenset({Kind.BICEP, Kind.TERRAFORM_SOURCE})

#: suffixes that a folder is searched for; other files are read only when they are named
WANTED = (
    ".json",
    ".jsonc",
    ".tfstate",
    ".bicep",
    ".tf",
    ".template",
    ".tfplan",
    ".plan",
    "pulumi.yaml",
    "pulumi.yml",
)

_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

#: the member that programs write first; after another one the first bytes may tell nothing
_USUAL = (b'"$schema"', b'"schema"', b'"format_version"', b'"version"')


def head_of(data: bytes) -> bytes:
    """The beginning of an input as UTF-8 without a byte order mark, whatever Unicode it is written in."""
    return _utf8(data[:HEAD])


def _utf8(data: bytes) -> bytes:
    encoding = _UTF16.get(data[:2])
    if encoding:
        data = data[2 : len(data) // 2 * 2].decode(encoding, "replace").encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()


def is_parameter_file(path: str, head: bytes) -> bool:
    """Whether it holds parameters of a template or variables of Terraform, and no definition."""
    name = path.casefold()
    return (
        name.endswith((".tfvars", ".tfvars.json"))
        or b"eploymentParameters.json" in head[:4096]
        or _is_stack_settings(name)
        or (
            name.endswith((".parameters.json", ".parameters.jsonc")) and b"eploymentTemplate.json" not in head
        )
    )


def _is_stack_settings(name: str) -> bool:
    """Whether it is `pulumi.STACK.yaml`."""
    first, _, rest = name.replace("\\", "/").rpartition("/")[2].partition(".")
    return first == "pulumi" and rest.endswith((".yaml", ".yml"))


def _is_stack_configuration(name: str) -> bool:
    """`Pulumi.dev.yaml`."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return last.startswith("pulumi.") and last.endswith((".yaml", ".yml")) and last.count(".") > 1


def candidates(path: str, head: bytes) -> Iterator[Dialect]:
    """The dialects an input may be of, the likely ones first."""
    by_name = _by_name(path)
    if by_name:
        yield from by_name
        return
    if not head.startswith((b"{", b"[", b"//", b"/*")):
        return
    likely = [one for one in DIALECTS if any(sign in head for sign in one.signs)]
    yield from likely
    yield from (
        one
        for one in DIALECTS
        if one not in likely and one.kind not in BY_NAME and one.module != "pulumi_yaml"
    )


def _by_name(path: str) -> list[Dialect]:
    return [one for one in DIALECTS if one.suffixes and path.casefold().endswith(one.suffixes)]


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
    unusual = head.startswith(b"{") and not head[1:].lstrip().startswith(_USUAL)
    if unusual and not _by_name(source.path):
        told = _by_members(source.data)
        if told is not None:
            return told, reader_of(told)
    for dialect in candidates(source.path, head):
        reader = reader_of(dialect)
        if reader is None:
            if dialect.kind in BY_NAME or any(sign in head for sign in dialect.signs[:1]):
                return dialect, None
        elif reader.claims(source):
            return dialect, reader
    return None


def _by_members(data: bytes) -> Dialect | None:
    """The dialect whose members the whole object has.

    Text that is no JSON is of the dialect whose words it has, so that its reader says what is broken;
    short texts are left to the readers, which see all of them.
    """
    text = _utf8(data)
    hinted = [one for one in DIALECTS if one.always and one.always in text]
    if not hinted:
        return None
    import json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return hinted[0] if len(data) > HEAD else None
    members = value.keys() if isinstance(value, dict) else frozenset()
    return next((one for one in DIALECTS if any(wanted <= members for wanted in one.members)), None)
