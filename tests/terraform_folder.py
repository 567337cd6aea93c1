"""Terraform folders of the tests, read as the command line would."""

from __future__ import annotations

import os
from pathlib import Path

from aks_egress.arm.resources import Document
from aks_egress_scan.readers.base import Parameters, Source
from aks_egress_scan.readers.hcl.config import read_config
from aks_egress_scan.readers.hcl.disk import Disk
from aks_egress_scan.readers.hcl.loading import Loader
from aks_egress_scan.readers.hcl.module import Module, World
from aks_egress_scan.readers.terraform_source import READER

NO_PARAMETERS = Parameters()


def source_of(path: Path, root: Path) -> Source:
    """A file that may read what lies below `root`."""

    def inside(name: str) -> Path | None:
        found = Path(os.path.normpath(path.parent / name))
        return found if found == root or root in found.parents else None

    def sibling(name: str) -> Source | None:
        found = inside(name)
        return source_of(found, root) if found is not None and found.is_file() else None

    def listing(folder: str) -> list[str] | None:
        found = inside(folder)
        if found is None or not found.is_dir():
            return None
        return [one.name + ("/" if one.is_dir() else "") for one in found.iterdir()]

    return Source(str(path), path.read_bytes(), sibling, listing)


def first_file(folder: Path) -> Path:
    """The file that stands for a folder."""
    return min(one for one in folder.iterdir() if one.name.endswith((".tf", ".tf.json")))


def document_of(folder: Path, root: Path | None = None, parameters: Parameters = NO_PARAMETERS) -> Document:
    """The document of a root module."""
    (document,) = READER.read(source_of(first_file(folder), root or folder), parameters)
    return document


def module_of(folder: Path) -> Module:
    """A root module without any values given."""
    disk = Disk(source_of(first_file(folder), folder))
    config = read_config(disk, ".")
    assert config is not None
    return Module(World(disk, Loader(disk)), config, lambda name: (False, None))
