"""The sensor of namespaces, and what it asks Dagster for, done on an instance, for tests."""

import dagster as dg

from assets.defs.sensors import namespaces
from assets.partitions import NAMESPACES

PARTITIONS = NAMESPACES.name or ""


def look(instance: dg.DagsterInstance) -> str:
    """Let the sensor look at the namespaces, and do what it asks for; give what it says."""
    answer = namespaces.evaluate_tick(dg.build_sensor_context(instance=instance))
    for request in answer.dynamic_partitions_requests or []:
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(PARTITIONS, request.partition_keys)
        else:
            for key in request.partition_keys:
                instance.delete_dynamic_partition(PARTITIONS, key)
    assert not answer.run_requests
    return answer.skip_message or ""
