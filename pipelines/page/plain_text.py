"""Text of strangers as text: no control sequence reaches a terminal, no character hides another.

Names, errors and manifests come from whoever pushed them. Markup is the caller's business: a
`rich.text.Text` has none.
"""

import unicodedata

# Controls, invisible formats (direction marks among them), line and paragraph separators,
# half characters and private use.
_UNPRINTABLE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}


def printable(text: str) -> str:
    r"""Write what a terminal would obey or hide as escapes: `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    return repr(character)[1:-1]
