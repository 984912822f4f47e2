-- error
-- Every table, view and column of main, ingest and reports says what it means.
with
described as (
    select schema_name, table_name, null as column_name, comment
    from duckdb_tables()
    where database_name = current_database()
    union all
    select schema_name, view_name as table_name, null as column_name, comment
    from duckdb_views()
    where database_name = current_database()
    union all
    select schema_name, table_name, column_name, comment
    from duckdb_columns()
    where database_name = current_database()
)

select schema_name, table_name, column_name
from described
where
    schema_name in ('main', 'ingest', 'reports')
    and coalesce(comment, '') = ''
    and table_name not in (select view_name from duckdb_views() where internal);
