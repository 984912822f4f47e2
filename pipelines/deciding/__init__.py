"""What a rule would delete and what a plan should: pure, from tables to tables.

Knows neither HTTP nor DuckDB; `warehouse` counts bytes, `page` shows answers.
"""
