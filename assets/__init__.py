"""Nouns: the tables and reports as Dagster sees them, and the command line that launches it.

Everything that imports Dagster lives here. What runs is in `pipelines`, SQL is in `sql`.
"""

import pipelines  # noqa: F401 - before anything imports Arrow; says why
