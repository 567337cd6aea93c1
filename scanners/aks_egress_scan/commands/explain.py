"""`aks-egress explain`: a rule's page, what a kubectl or provisioning error means, a requirement."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.requirements.catalogue import Entry
    from aks_egress.requirements.errors import Symptom

_DESCRIPTION = """\
Explains a rule (by code or name), an endpoint that AKS needs (by its requirement's name), or an error
text of kubectl or of provisioning: what it means, what breaks, what to check and how to fix it.
"""

_EXAMPLES = """\
examples:
  aks-egress explain                       all rules
  aks-egress explain EGR101
  aks-egress explain tunnel-blocked
  aks-egress explain public-api-server-fqdn
  aks-egress explain "Error from server: error dialing backend: dial tcp 10.0.0.4:10250: i/o timeout"
  kubectl logs pod 2>&1 | aks-egress explain -
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "explain", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help
    )
    parser.add_argument(
        "what", nargs="*", metavar="RULE|ERROR", help="- reads an error text from standard input"
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        dest="style",
        default="text",
        help="text for people (default), json for programs",
    )
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="default: standard output")
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Write the explanation; 2 where nothing is known of what was asked."""
    from aks_egress_scan.output import write_text

    asked = " ".join(chosen.what).strip()
    if asked == "-":
        from aks_egress_scan.files import standard_input

        asked = standard_input(65_536).decode("utf-8", "replace").strip()
        if not asked:
            raise UsageFailure("standard input is empty: give the error text")
    write_text(_rules(chosen.style) if not asked else _explained(asked, chosen.style), chosen.output)
    return 0


def _rules(style: str) -> str:
    from aks_egress.checks.registry import RULES

    rules = [RULES[code] for code in sorted(RULES)]
    if style == "json":
        rows = [
            {"rule": one.code, "name": one.name, "severity": str(one.severity), "title": one.title}
            for one in rules
        ]
        return json.dumps(rows, indent=2) + "\n"
    width = max(len(one.name) for one in rules)
    return "".join(f"{one.code}  {one.severity:<7}  {one.name:<{width}}  {one.title}\n" for one in rules)


def _explained(asked: str, style: str) -> str:
    from aks_egress.checks.registry import RULES

    code = asked.upper()
    rule = RULES.get(code) or next((one for one in RULES.values() if one.name == asked.casefold()), None)
    if rule is not None:
        if style == "json":
            said = {
                "rule": rule.code,
                "name": rule.name,
                "severity": str(rule.severity),
                "title": rule.title,
                "page": rule.page,
            }
            return json.dumps(said, indent=2) + "\n"
        return rule.page.rstrip() + "\n"
    entry = _entry(asked)
    if entry is not None:
        return _requirement(entry, style)
    return _error(asked, style)


def _entry(asked: str) -> Entry | None:
    from aks_egress.requirements.catalogue import load

    return next((one for one in load().entries if one.id == asked.casefold()), None)


def _requirement(entry: Entry, style: str) -> str:
    to = [f"{one.value}" for one in entry.destinations]
    if style == "json":
        said = {
            "requirement": entry.id,
            "title": entry.title,
            "to": to,
            "breaks": list(entry.breaks),
            "errors": list(entry.errors),
        }
        return json.dumps(said, indent=2) + "\n"
    rows = [f"{entry.id}: {entry.title}", "", *(f"  to      {one}" for one in to)]
    rows += [f"  breaks  {one}" for one in entry.breaks]
    rows += [f"  error   {one}" for one in entry.errors]
    return "\n".join(rows) + "\n"


def _error(asked: str, style: str) -> str:
    from aks_egress.requirements.errors import recognise
    from aks_egress_scan.reporters.escaping import json_text

    found = recognise(asked)
    if not found:
        return _told_elsewhere(asked, style)
    if style == "json":
        return json_text([_as_json(one) for one in found])
    return "\n".join(_symptom(one) for one in found)


def _as_json(one: Symptom) -> dict[str, Any]:
    from aks_egress_scan.live.blotted import blotted

    return {
        "id": one.id,
        "matched": blotted(one.matched),
        "meaning": one.meaning,
        "check": list(one.check),
        "requirements": list(one.requirements),
        "source": one.source,
    }


def _symptom(one: Symptom) -> str:
    from aks_egress_scan.live.blotted import blotted
    from aks_egress_scan.reporters.escaping import visible
    from aks_egress_scan.reporters.wording import few

    rows = [f"`{visible(blotted(one.matched))}`", "", f"  means   {one.meaning}"]
    rows += [
        f"  {'check' if not number else '':<6}  {number + 1}. {text}" for number, text in enumerate(one.check)
    ]
    if one.requirements:
        rows.append(f"  needs   {few(one.requirements)}  (`aks-egress explain NAME` says more)")
    rows.append(f"  source  {one.source}")
    return "\n".join(rows) + "\n"


def _told_elsewhere(asked: str, style: str) -> str:
    """The page of the rule that quotes a code of the text, such as `HTTPProxyWrongUrlError`; else UsageFailure."""
    import re

    from aks_egress.checks.registry import RULES

    words = re.findall(r"\b[A-Za-z0-9]{12,80}\b", asked)
    codes = [one for one in words if sum(map(str.isupper, one)) >= 3 and not one.isupper()]
    pages = ((code, rule) for code in codes for rule in RULES.values() if code in rule.page)
    found = next(pages, None)
    if found is None:
        raise UsageFailure(_nothing_known(asked))
    return _explained(found[1].code, style)


def _nothing_known(asked: str) -> str:
    from difflib import get_close_matches

    from aks_egress.checks.registry import RULES
    from aks_egress.requirements.catalogue import load
    from aks_egress_scan.live.blotted import blotted

    shown = " ".join(blotted(asked).split())
    shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
    names = [*RULES, *(one.name for one in RULES.values()), *(one.id for one in load().entries)]
    near = get_close_matches(asked.upper() if asked.upper().startswith("EGR") else asked.casefold(), names, 1)
    if near:
        return f"nothing is known of `{shown}`: did you mean `{near[0]}`?"
    if " " in asked.strip():
        return (
            f"no known error is in `{shown}`, which says nothing for or against the network: give the whole output "
            "(`kubectl logs POD 2>&1 | aks-egress explain -`), or ask the cluster itself: `aks-egress triage --cluster NAME --error -`"
        )
    return f"nothing is known of `{shown}`: `aks-egress explain` lists the rules; an error text is best given whole, in quotes"
