"""What builds the reports and runs the checks: DuckDB, or Spark where one machine is outgrown.

Both take the one text of `sql`; what they have made stands in the building file either way.
"""
