-- Rows of before registries had names belong to the one that is loaded now.
update repositories set registry = getvariable('registry') where registry = '';

update tags set registry = getvariable('registry') where registry = '';

update tag_history set registry = getvariable('registry') where registry = '';

update ingest.runs set registry = getvariable('registry') where registry is null;

update ingest.crawls set registry = getvariable('registry') where registry = '';

update ingest.rejected_records
set registry = getvariable('registry')
where registry = '';

update ingest.counted_records
set registry = getvariable('registry')
where registry = '';
