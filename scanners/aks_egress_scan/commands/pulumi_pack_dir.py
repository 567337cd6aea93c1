"""`aks-egress pulumi-pack-dir`: where the policy pack lies, for `pulumi preview --policy-pack`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_DESCRIPTION = """\
Prints the folder of the Pulumi policy pack that comes with this package.  Its Python needs the extra
`pulumi`: pip install 'aks-egress[pulumi]'.
"""

_EXAMPLES = """\
examples:
  pulumi preview --policy-pack "$(aks-egress pulumi-pack-dir)"
  pulumi preview --policy-pack "$(aks-egress pulumi-pack-dir)" --policy-pack-config policies.json
"""

_PACKAGE = "aks_egress_pulumi"


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "pulumi-pack-dir", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help
    )
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:  # noqa: ARG001 - it has no options
    """Print the folder."""
    from importlib.util import find_spec
    from pathlib import Path

    from aks_egress_scan.output import write_text

    found = find_spec(_PACKAGE)
    folder = Path(found.origin).parent / "pack" if found is not None and found.origin else None
    if folder is None or not folder.is_dir():
        raise UsageFailure(
            "the policy pack is not installed: install aks-egress anew, or name its folder in a clone"
        )
    write_text(f"{folder}\n", "-")
    return 0
