"""The command line `swr-warehouse`: flags in, calls to `pipelines`, text out.

Dagster is imported only by the commands that launch a run, because that takes seconds.
"""
