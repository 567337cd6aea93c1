"""What an example must get, and how a report differs from that, or from another dialect's report.

Reports are in the form of `aks-egress scan --format json`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Key = tuple[str, ...]


class Example:
    """A folder that holds one network in several dialects, and `expected.toml`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wanted: Json = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
        self.dialects: Json = self.wanted["dialects"]
        self.variants: Json = self.wanted["variants"]

    def cases(self) -> Iterator[tuple[str, str]]:
        """Every variant with each tunnel mode it is judged for."""
        for variant, members in self.variants.items():
            yield from ((variant, mode) for mode, wanted in members.items() if isinstance(wanted, dict))

    def paths(self, dialect: str, variant: str) -> list[str]:
        """The files of a dialect that hold a variant."""
        return self._files(self.dialects[dialect]["paths"], variant)

    def parameters(self, dialect: str, variant: str) -> list[str]:
        """The parameter files that make the dialect's files the variant."""
        return self._files(self.dialects[dialect]["parameters"], variant)

    def _files(self, patterns: list[str], variant: str) -> list[str]:
        return [str(self.folder / pattern.format(variant=variant)) for pattern in patterns]

    def complaints(self, variant: str, mode: str, report: Json) -> list[str]:
        """How a report differs from what the variant must get in a tunnel mode."""
        wanted = self.variants[variant][mode]
        found = [one for one in report["clusters"] if one["name"] == self.wanted["cluster"]]
        if len(found) != 1:
            return [f"{len(found)} clusters `{self.wanted['cluster']}` in the report"]
        cluster = found[0]
        said = {"cluster": cluster["verdict"], "tunnel": cluster["tunnel"]["verdict"]}
        out = [f"{name} is {said[name]}, not {wanted[name]}" for name in said if said[name] != wanted[name]]
        errors = sorted({one["rule"] for one in report["findings"] if one["severity"] == "error"})
        if errors != wanted["errors"]:
            out.append(f"the errors are {errors}, not {wanted['errors']}")
        return out + [one for flow in wanted["flows"] for one in _about(flow, cluster["flows"])]


def _about(wanted: Json, flows: list[Json]) -> Iterator[str]:
    """What is wrong with the one flow that is wanted."""
    label = f"{wanted['from']} to {wanted['to']} {wanted['protocol']} {wanted['ports']}"
    found = [
        flow
        for flow in flows
        if all(
            flow["to"][name] == wanted[name if name != "value" else "to"]
            for name in ("value", "protocol", "ports")
        )
        and flow["from"]["subnet"].split("/")[-1] == wanted["from"]
    ]
    if not found:
        yield f"no flow from {label}"
    for flow in found:
        if flow["verdict"] != wanted["verdict"]:
            yield f"{label} is {flow['verdict']}, not {wanted['verdict']}: {flow.get('reason', '')}"
        deny = {hop["rule"] for hop in flow["path"] if hop["decision"] in ("deny", "drop")}
        missing = set(wanted.get("by", ())) - deny
        if missing:
            yield f"{label}: {sorted(missing)} do not deny it, {sorted(deny)} do"


def verdicts(report: Json) -> dict[Key, str]:
    """The verdict of every flow, by what a flow is in any dialect."""
    return {
        (
            cluster["name"],
            flow["requirement"],
            flow["from"]["pool"],
            flow["from"]["subnet"].split("/")[-1],
            flow["to"]["value"],
            flow["to"]["protocol"],
            flow["to"]["ports"],
        ): flow["verdict"]
        for cluster in report["clusters"]
        for flow in cluster["flows"]
    }


def differences(one: Json, other: Json) -> list[str]:
    """The flows on which two reports do not agree."""
    mine, theirs = verdicts(one), verdicts(other)
    return [
        f"{' '.join(key)}: {mine.get(key, 'missing')} and {theirs.get(key, 'missing')}"
        for key in sorted(mine.keys() | theirs.keys())
        if mine.get(key) != theirs.get(key)
    ]
