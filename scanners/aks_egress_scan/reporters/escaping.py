"""Text from inputs made harmless for each place it is printed to.

Names come from whoever wrote the definition: they must not move a cursor, start a CI command, close
an HTML element or turn the direction of reading.
"""

from __future__ import annotations

import re

#: what changes how the rest of a line is shown: direction overrides, isolates, marks, separators
_TRICKS = {
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0x200E,
    0x200F,
    0x2028,
    0x2029,
    0x061C,
    0xFEFF,
    0x200B,
}


def visible(text: str) -> str:
    """The text with everything that a terminal or a CI log would act on spelled out: `\\x1b`, `\\u202e`."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_spelled, text))
    return _defused(text) if "##" in text or "::" in text else text


def json_text(data: object) -> str:
    """JSON for people and pipelines: ASCII alone, and no log command in it (`#` is spelled `\\u0023`)."""
    import json

    return json.dumps(data, indent=2).replace("##", "#\\u0023") + "\n"


def _defused(text: str) -> str:
    """No log command: GitHub takes one at the beginning of a line, Azure Pipelines anywhere.

    Reports are wrapped between words, so every word can begin a line.
    """
    text = re.sub(r"##(?=(?:vso)?\[)", r"#\\x23", text, flags=re.IGNORECASE)
    return re.sub(r"(?<!\S)::(?=[A-Za-z-]+(?:\s|::|$))", r"\\x3a:", text)


def _spelled(char: str) -> str:
    code = ord(char)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char, f"\\x{code:02x}")
    if code in _TRICKS or 0xD800 <= code <= 0xDFFF or 0xE0000 <= code <= 0xE007F:
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return char


def xml(text: str) -> str:
    """For XML and HTML, text or attribute: control characters spelled out, markup quoted."""
    out = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    out = out.replace('"', "&quot;").replace("'", "&#39;")
    return out.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def github_message(text: str) -> str:
    """For the message of a workflow command."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def github_property(text: str) -> str:
    """For a property of a workflow command."""
    return github_message(text).replace(":", "%3A").replace(",", "%2C")


_MARKDOWN = frozenset("\\`*_{}[]()<>#+!|~$@&")


def markdown(text: str) -> str:
    """For Markdown prose and table cells: no markup, no mention, no link, no HTML."""
    said = "".join(f"&#{ord(char)};" if char in _MARKDOWN else char for char in visible(text))
    return said.replace("://", "&#58;//").replace("www.", "www&#46;")


def markdown_code(text: str) -> str:
    """A code span, also inside a table cell, that nothing in the text can end."""
    said = visible(text).strip()
    if not said:
        return ""
    plain = "`" not in said and "|" not in said
    return f"`{said}`" if plain else f"<code>{markdown(said)}</code>"
