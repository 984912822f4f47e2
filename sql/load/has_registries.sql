-- One row where the registries are stored; none in the layout of earlier versions.
select table_name
from duckdb_tables()
where database_name = current_database() and table_name = 'registries'
