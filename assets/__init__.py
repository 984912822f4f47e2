"""Nouns: the tables and reports as Dagster sees them. All that imports Dagster lives here.

What they do is in `pipelines`, what they say in SQL is in `sql`; the command line is here too,
because it launches Dagster.
"""

import pipelines  # noqa: F401 - before anything imports Arrow; says why
