"""One module's folder: its files read together, override files laid over them."""

from __future__ import annotations

import posixpath
from typing import Final

from aks_egress.records import field, record
from aks_egress_scan.readers.base import MalformedError, Source
from aks_egress_scan.readers.hcl.disk import Disk
from aks_egress_scan.readers.hcl.json_syntax import JsonFile, with_blocks
from aks_egress_scan.readers.hcl.parser import parse
from aks_egress_scan.readers.hcl.syntax import Block, Body, Setting
from aks_egress_scan.readers.mapping.azurerm import TYPES

ResourceKey = tuple[str, str, str]
"""`resource` or `data`, type, name."""

_NAMED: Final = {"variable": "variables", "output": "outputs", "module": "modules"}


@record(slots=True, eq=False)
class Config:
    """What the files of one folder define together; `folder` is the path from the root module."""

    folder: str
    variables: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    modules: dict[str, Block] = field(default_factory=dict)
    locals: dict[str, Setting] = field(default_factory=dict)
    resources: dict[ResourceKey, Block] = field(default_factory=dict)
    providers: list[Block] = field(default_factory=list)
    settings: list[Block] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def types(self, mode: str) -> dict[str, dict[str, Block]]:
        """Resources (or data sources) by type and name."""
        out: dict[str, dict[str, Block]] = {}
        for (its_mode, kind, name), block in self.resources.items():
            if its_mode == mode:
                out.setdefault(kind, {})[name] = block
        return out


def read_config(disk: Disk, folder: str, named: Source | None = None) -> Config | None:
    """The configuration in a folder; None where there is none.  Raises MalformedError for broken files.

    `named` is a file to read where nobody can list the folder.
    """
    names = disk.files(folder)
    if names is None:
        names = [posixpath.basename(named.path)] if named is not None else []
    wanted = sorted(name for name in names if name.endswith((".tf", ".tf.json")) and not name.startswith("."))
    if not wanted:
        return None
    config = Config(folder)
    overrides = [name for name in wanted if _overrides(name)]
    for name in [*(one for one in wanted if one not in overrides), *overrides]:
        source = disk.source(posixpath.join(folder, name))
        if source is not None:
            config.files.append(source.path)
            _add(config, source, override=name in overrides)
    return config


def _overrides(name: str) -> bool:
    stem = name.removesuffix(".json").removesuffix(".tf")
    return stem == "override" or stem.endswith("_override")


def body_of(source: Source) -> Body:
    """The blocks of a file in either syntax."""
    if source.path.endswith(".json"):
        return JsonFile(source.path, source.data).body()
    return parse(source.path, source.data)


def _add(config: Config, source: Source, *, override: bool) -> None:
    for block in body_of(source).blocks:
        if block.type == "locals":
            for name, setting in block.body.settings.items():
                _once(config.locals, name, f"local `{name}`", setting.path, setting.line, override=override)
                config.locals[name] = setting
        elif block.type in ("resource", "data"):
            kind, name = _labels(block, 2)
            key = (block.type, kind, name)
            if block.path.endswith(".json") and kind in TYPES:
                with_blocks(block.body, TYPES[kind].fields)
            spelled = f"{'data.' if block.type == 'data' else ''}{kind}.{name}"
            _once(config.resources, key, f"`{spelled}`", block.path, block.line, override=override)
            config.resources[key] = _merged(config.resources.get(key), block)
        elif block.type in _NAMED:
            (name,) = _labels(block, 1)
            table: dict[str, Block] = getattr(config, _NAMED[block.type])
            _once(table, name, f"{block.type} `{name}`", block.path, block.line, override=override)
            table[name] = _merged(table.get(name), block)
        elif block.type == "provider":
            config.providers.append(block)
        elif block.type == "terraform":
            config.settings.append(block)


def _labels(block: Block, count: int) -> tuple[str, ...]:
    if len(block.labels) != count:
        wanted = "one name" if count == 1 else "a type and a name"
        raise MalformedError(f"a `{block.type}` block needs {wanted} behind it", block.path, block.line)
    return block.labels


def _once(table: object, key: object, what: str, path: str, line: int, *, override: bool) -> None:
    if isinstance(table, dict) and key in table and not override:
        raise MalformedError(f"{what} is defined twice in this module", path, line)


def _merged(base: Block | None, over: Block) -> Block:
    """A block of an override file laid over the one it overrides."""
    if base is None:
        return over
    types = {block.type for block in over.body.blocks}
    replaced = types | {block.labels[0] for block in over.body.of_type("dynamic") if block.labels}
    kept = [
        block
        for block in base.body.blocks
        if block.type not in replaced
        and not (block.type == "dynamic" and block.labels[:1] and block.labels[0] in replaced)
    ]
    body = Body({**base.body.settings, **over.body.settings}, [*kept, *over.body.blocks])
    return Block(base.type, base.labels, body, base.path, base.line)
