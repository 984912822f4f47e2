"""One run, step by step: discover, crawl, normalize, load, build, check, publish.

`ingest` puts the steps in order; the other modules do one step each. Nothing here imports Dagster.
"""
