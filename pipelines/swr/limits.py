"""The page sizes that an endpoint accepts, learned from what it refuses.

One that is refused may be an accident of that list; a second one speaks for the endpoint.
"""

import threading
from collections.abc import Hashable

from pipelines.swr.paging import ACCEPTED_LIMIT, MAXIMUM_LIMIT

_REFUSED_BY_ENDPOINT = 2


class Limits:
    """Page sizes for lists by what they are of; used by many threads."""

    def __init__(self, page_size: int = MAXIMUM_LIMIT) -> None:
        self._page_size = page_size
        self._refused: set[Hashable] = set()
        self._lock = threading.Lock()

    def of(self, name: Hashable) -> tuple[int, int]:
        """The page size to ask a list for, and the largest that it accepts."""
        if name in self._refused or len(self._refused) >= _REFUSED_BY_ENDPOINT:
            return min(self._page_size, ACCEPTED_LIMIT), ACCEPTED_LIMIT
        return self._page_size, MAXIMUM_LIMIT

    def refuse(self, name: Hashable) -> None:
        """Fall back to what every endpoint accepts: for this list, or for all after a second."""
        with self._lock:
            self._refused.add(name)
