"""Plain lists: one image reference a line, with a count before or after it where there is one.

So are the lists of `crictl`, `docker` and `nerdctl`, and what `sort | uniq -c` makes of them.
"""

import re
from collections.abc import Iterator

from pipelines.errors import SnapshotError
from pipelines.running.kubernetes import Found
from pipelines.running.references import read_reference

_COUNT = re.compile(r"\A\d{1,12}\Z", re.ASCII)
_REMARK = "#"


def images_in_list(data: bytes, name: str) -> Iterator[Found | str]:
    """Give the references of a file; of a line that holds none, where it stands.

    Lines that are empty or begin with # do not count. What stands in the others is not repeated
    where it is no reference: it may be anything.

    Raises:
        SnapshotError: it is no text, or a line is more than a reference and a count.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SnapshotError(f"{name} is neither JSON nor text.") from None
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith(_REMARK):
            continue
        counts = [word for word in words if _COUNT.match(word)][: len(words) - 1]
        references = [word for word in words if word not in counts]
        if len(counts) > 1 or len(references) != 1:
            raise SnapshotError(
                f"{name}, line {number}: a line is an image reference, with a count if you like."
            )
        if read_reference(references[0], {}) is None:
            yield f"{name}, line {number}"
        else:
            yield Found(references[0], None, "list", int(counts[0]) if counts else 1)
