-- Every image with a configuration that was read has a row; images may share one.
insert into image_configs by name
select
    manifests.manifest_digest,
    configs.*,
from manifests
inner join (
    select *
    from arriving_configs
    union by name
    select distinct on (config_digest) * exclude (manifest_digest)
    from image_configs
    anti join arriving_configs using (config_digest)
) as configs on manifests.config_digest = configs.config_digest
anti join image_configs on manifests.manifest_digest = image_configs.manifest_digest
where manifests.manifest_kind = 'image'
order by manifests.manifest_digest;
