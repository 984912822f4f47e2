"""Rows become tables: migrations, the building file, loading, publishing, read-only queries.

Takes Arrow and gives Arrow; knows neither SWR nor what a manifest means. The writer works on
`.building.duckdb`; readers only ever open `warehouse.duckdb`, which changes by a rename.
"""
