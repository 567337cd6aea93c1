"""Plans laid over snapshots, through the real command line and with files as people have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests import builders as b
from tests.unit import terraform_plans as tf

from aks_egress.arm.ids import ResourceId
from aks_egress_scan.cli import run
from aks_egress_scan.live.kept import kept_types
from aks_egress_scan.live.snapshot import Snapshot, render

Json = dict[str, Any]
TAKEN = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
PLACED = {"resource_group_name": "net"}


def snapshot(*rows: b.Row, scope: str = b.SCOPE, at: datetime = TAKEN) -> bytes:
    """What `aks-egress snapshot` writes where these resources run."""
    picture = Snapshot()
    for row in rows:
        known = ResourceId.of(scope, row["type"], *row["name"].split("/"))
        shown = {name: value for name, value in row.items() if name != "apiVersion"}
        text = json.dumps({**shown, "id": str(known), "name": known.name}).replace(b.SCOPE, scope)
        assert known.kind in kept_types(), known.kind
        picture.add(json.loads(text), known.kind)
    return render(picture, "0.1.0", at)


def template(*rows: b.Row) -> bytes:
    """The resources as an ARM template."""
    return b.template(*rows).encode()


def plan(*rows: Json, **top: Any) -> bytes:
    """A Terraform plan of the rows that `tests.unit.terraform_plans.resource` makes."""
    return json.dumps(tf.plan(*rows, **top)).encode()


def planned(address: str, values: Json, *actions: str, **more: Any) -> Json:
    """One resource of a plan, in the group that the snapshots show."""
    return tf.resource(address, PLACED | values, actions=actions or ("create",), **more)


def deleted(address: str, before: Json) -> Json:
    """One resource that a plan deletes."""
    return tf.resource(address, {}, actions=("delete",), before=PLACED | before)


class Desk:
    """A folder and a terminal: files are put there, the command runs, and its report is read."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.said = ""

    def put(self, name: str, data: bytes) -> str:
        """A file, by its path."""
        file = self.folder / name
        file.write_bytes(data)
        return str(file)

    def command(self, *words: str) -> tuple[int, str]:
        """The exit status of a command and what it printed."""
        status = run([*words])
        out, self.said = self.capsys.readouterr()
        return status, out

    def scan(self, *subjects: bytes, context: tuple[bytes, ...] = (), options: tuple[str, ...] = ()) -> Json:
        """The JSON report on files that are judged, with others as their context."""
        words = [self.put(f"subject{i}.json", data) for i, data in enumerate(subjects)]
        for i, data in enumerate(context):
            words += ["--context", self.put(f"context{i}.json", data)]
        status, out = self.command("scan", *words, "--format", "json", *options)
        assert status != 2, self.said
        report: Json = json.loads(out)
        return report


def tunnel(report: Mapping[str, Any]) -> str:
    """The tunnel's verdict of the one cluster."""
    (cluster,) = report["clusters"]
    return str(cluster["tunnel"]["verdict"])


def flow(report: Mapping[str, Any]) -> Json:
    """The flow to the API server."""
    found = [
        one
        for cluster in report["clusters"]
        for one in cluster["flows"]
        if one["role"] == "tunnel" and one["to"]["ports"] == "443"
    ]
    (one,) = found
    return dict(one)


def why(report: Mapping[str, Any]) -> str:
    """Why that flow is what it is: its reason and those of its path."""
    found = flow(report)
    return " ".join([found["reason"], found["settle"], *(hop["reason"] for hop in found["path"])])
