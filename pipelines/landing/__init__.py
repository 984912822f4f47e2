"""Verbatim records on disk: what SWR said, as Parquet, one folder a crawl.

`writer` fills one crawl's folder and says what is in it, `reader` reads it back, `zone` finds the
folders of earlier runs. Nothing here talks to SWR or knows what a record means.
"""
