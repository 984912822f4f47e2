-- The bases most images are built on.
select
    base_namespace,
    base_repository,
    base_tag,
    layer_count,
    size_bytes,
    image_count,
    tag_count,
    repository_count
from reports.base_images
order by image_count desc, prefix_digest
limit 10;
