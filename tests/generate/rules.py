"""The rules' pages for people who read them in a browser, and an index of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aks_egress.checks.base import Rule
from aks_egress.checks.registry import RULES

FOLDER = "docs/rules"
ROOT = Path(__file__).resolve().parents[2]

FAMILIES = {
    "EGR1": "The tunnel",
    "EGR2": "Required endpoints",
    "EGR3": "Routing",
    "EGR4": "Azure Firewall",
    "EGR5": "Security groups and admin rules",
    "EGR6": "Name resolution and proxies",
    "EGR7": "The cluster's own settings",
    "EGR8": "Platform addresses and traffic inside the network",
    "EGR9": "Hygiene",
}


def main() -> None:
    """Write the folder; pages of rules that are gone are removed."""
    folder = ROOT / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    wanted = texts()
    for stale in [one for one in folder.iterdir() if one.name not in wanted]:
        stale.unlink()
        print(f"removed: {FOLDER}/{stale.name}")
    for name, text in wanted.items():
        target = folder / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8", newline="\n")
            print(f"written: {FOLDER}/{name}")


def texts() -> dict[str, str]:
    """Every file of the folder by its name."""
    pages = {f"{rule.code}.md": _page(rule) for rule in RULES.values()}
    return {"README.md": "\n".join([*_index(), ""]), **pages}


def _page(rule: Rule) -> str:
    """The page as `aks-egress explain` prints it, with the way back."""
    return f"{rule.page.rstrip()}\n\n---\n\n[All rules](README.md) · `{rule.help}`\n"


def _index() -> Iterator[str]:
    yield "# Rules\n"
    yield (
        f"{len(RULES)} rules. `aks-egress explain CODE` prints a page; the pages are generated from "
        "`policies/aks_egress/checks/pages`, and every example on them is judged by the tests. "
        "Codes are never reused. `severities` in the configuration changes a rule's severity or turns it off.\n"
    )
    for family, title in FAMILIES.items():
        rules = [RULES[code] for code in sorted(RULES) if code.startswith(family)]
        if not rules:
            continue
        yield f"## {family}xx: {title}\n"
        yield "| code | name | severity | what it says |"
        yield "| --- | --- | --- | --- |"
        for rule in rules:
            yield f"| [{rule.code}]({rule.code}.md) | `{rule.name}` | {rule.severity} | {rule.title} |"
        yield ""
