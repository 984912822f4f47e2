"""Text of strangers as text: no control sequence reaches a terminal, no character hides another.

Names, errors and manifests come from whoever pushed them. Markup is the caller's business: a
`rich.text.Text` has none.
"""

import json
import unicodedata

# Controls, invisible formats (direction marks among them), line and paragraph separators,
# half characters and private use.
_UNPRINTABLE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}


def printable(text: str) -> str:
    r"""Write what a terminal would obey or hide as escapes: `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def printable_json(text: str) -> str:
    """Write the same in JSON as the escapes that JSON has; it means what it did."""
    # Outside of strings JSON has no such characters, and inside an escape means the same.
    return "\n".join(
        line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n")
    )


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    return repr(character)[1:-1]
