-- The bases most images stand on, and whether there is a newer tag of them.
select
    base_namespace || '/' || base_repository || ':' || base_tag as base,
    newer_tag,
    found_by,
    layer_count,
    size_bytes,
    image_count,
    tag_count,
    dependent_bytes
from reports.base_images
order by image_count desc, prefix_digest, base_digest, base_name
limit 10;
