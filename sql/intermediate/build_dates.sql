-- One row per manifest a tag points at of which a configuration was read: when the newest
-- of its images was built, by its own word.
create or replace table intermediate.build_dates as
select
    reached.root_key as manifest_key,
    max(known_date(configs.built_at, run.as_of)) as built_at
from main.image_configs as configs
inner join intermediate.manifest_keys as images
    on configs.manifest_digest = images.manifest_digest
inner join intermediate.reached_manifests as reached
    on images.manifest_key = reached.node_key
cross join intermediate.latest_run as run
group by reached.root_key;
