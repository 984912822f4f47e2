"""Write the whole graph as text, for people to review what a change does to it.

`make docs` keeps `graph.txt` beside this file; a test holds it current.
"""

from collections.abc import Iterator

import dagster as dg

from assets.definitions import defs


def graph_text() -> str:
    """Every asset, check, job, schedule and sensor, a paragraph each."""
    parts = [*_assets(), *_jobs(), *_schedules(), *_sensors()]
    return "\n".join(parts)


def _assets() -> Iterator[str]:
    graph = defs.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        cut = node.partitions_def
        partitions = (
            f" partitioned by {cut.name}" if isinstance(cut, dg.DynamicPartitionsDefinition) else ""
        )
        yield f"asset {key.to_user_string()} [{node.group_name}]{partitions}"
        yield from (f"  reads {parent.to_user_string()}" for parent in sorted(node.parent_keys))
        checks = sorted(graph.get_check_keys_for_assets({key}), key=lambda check: check.name)
        for check in checks:
            is_blocking = graph.get(check).blocking
            yield f"  {'blocking check' if is_blocking else 'check'} {check.name}"
        yield ""


def _jobs() -> Iterator[str]:
    for job in sorted(defs.resolve_all_job_defs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            yield f"job {job.name}"
            yield from (f"  step {node.name}" for node in sorted(job.nodes, key=lambda n: n.name))
            yield ""


def _schedules() -> Iterator[str]:
    for schedule in sorted(defs.schedules or (), key=lambda each: each.name):
        assert isinstance(schedule, dg.ScheduleDefinition)
        yield f"schedule {schedule.name}"
        yield f"  runs {schedule.job_name} at {schedule.cron_schedule}"
        yield f"  in {schedule.execution_timezone}, {schedule.default_status.value}"
        yield ""


def _sensors() -> Iterator[str]:
    for sensor in sorted(defs.sensors or (), key=lambda each: each.name):
        yield f"sensor {sensor.name}"
        yield f"  every {sensor.minimum_interval_seconds} s, {sensor.default_status.value}"
        yield ""


if __name__ == "__main__":
    print(graph_text(), end="")
