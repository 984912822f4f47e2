"""Verbatim records on disk: what SWR said, as Parquet, one folder a crawl.

`folder` writes and reads one crawl's folder; `zone` finds those of earlier runs. Nothing here
talks to SWR or knows what a record means.
"""
