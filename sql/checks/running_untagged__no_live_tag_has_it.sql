-- error
-- No live tag points at what runs untagged.
select running.*
from reports.running_untagged as running
inner join main.tags
    on running.registry = tags.registry
    and running.running_digest = tags.manifest_digest;
