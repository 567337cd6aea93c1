"""The catalogue with its digest: that of the file's bytes with an empty digest in place."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

TARGET = "policies/aks_egress/requirements/catalogue.json"
_DIGEST = re.compile(r'("digest": )"[^"]*"')


def render() -> str:
    """The text of the catalogue as it is on disk, with the digest that belongs to it."""
    text = (Path(__file__).resolve().parents[2] / TARGET).read_text("utf-8")
    bare = _DIGEST.sub(r'\1""', text, count=1)
    return _DIGEST.sub(rf'\1"sha256:{hashlib.sha256(bare.encode()).hexdigest()}"', text, count=1)
