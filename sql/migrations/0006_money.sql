-- What storage costs, by the settings of each run.

alter table ingest.runs add column price_per_gb_month decimal(12, 6);
alter table ingest.runs add column currency varchar;
