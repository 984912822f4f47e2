"""A warehouse that is in order, and for each check what makes it find something."""

from described_registry import Description

SOUND: Description = {
    "price_per_gb_month": "1000",
    "currency": "EUR",
    "runs": [
        {
            "tags": {"a/one": {"v1": "image-1", "v2": "image-1"}, "b/app": {"v1": "old"}},
            "downloads": {"a/one": 3},
        },
        {
            "in_use": [
                {
                    "cluster": "prod",
                    "references": ["host/a/one:v1 | host/a/one@image-1", "host/b/app@old"],
                }
            ],
            "tags": {
                "a/one": {"v1": "image-1", "v2": "index"},
                "a/two": {"v1": "image-2", "broken": "invalid", "signature": "signature"},
                "b/app": {"stale": {"manifest": "image-1", "updated_days_ago": 200}},
            },
            "rules": {"a/one": {"template": "tag_rule", "keeps": 1}},
            "fits": [
                {"in": "a/one", "template": "tag_rule", "clock": "updated", "tag_count": 2}
                | {"logged_count": 1, "predicted_count": 1, "agreed_count": 1}
            ],
        },
    ],
    "manifests": {
        "image-1": {"config": "config-1 10", "layers": ["base 100", "app 20"]},
        "image-2": {"config": "config-2 10", "layers": ["base 100"]},
        "index": {"children": ["image-1", "never-shown"]},
        "invalid": {"kind": "invalid"},
        "old": {"layers": ["base 100", "old 7"]},
        "signature": {"kind": "artifact", "layers": ["signature 1"], "subject": "gone"},
    },
}

# What makes each check find something, applied after the reports are built.
DAMAGES = {
    "age_buckets__add_up_to_tags": "update reports.age_buckets set tag_count = tag_count + 1",
    "age_buckets__unknown_is_null": "update reports.age_buckets set size_basis = 'unknown'",
    "age_buckets__no_negative_bytes": "update reports.age_buckets set reclaimable_bytes = -1",
    "cold_repositories__begin_with_a_count": """
        update reports.cold_repositories set unchanged_since = timestamptz '2020-01-01'""",
    "costs__add_up": """
        update reports.costs set monthly_cost = monthly_cost + 0.01
        where repository = 'two'""",
    "costs__unknown_is_null": "update reports.costs set monthly_cost = null",
    "crawls__complete_ones_hold_every_tag": """
        update ingest.crawls set expected = 9 where repository = 'two'""",
    "daily_growth__complete_share_holds": """
        update reports.daily_growth set repositories_complete = repository_count - 1
        where as_of = (select max(as_of) from reports.daily_growth)""",
    "daily_growth__every_run_has_a_row": """
        insert into reports.daily_growth from reports.daily_growth""",
    "daily_growth__is_usual": """
        insert into reports.daily_growth by name
        select
            'run ' || day as run_id,
            timestamptz '2030-01-01 00:00:00Z' + to_days(day) as as_of,
            1000 as deduplicated_before_bytes,
            case when day = 8 then 100 else 10 end as added_bytes,
            0 as orphaned_bytes
        from (select cast(unnest(range(9)) as integer) as day)""",
    "daily_growth__ledger_balances": "update reports.daily_growth set learned_bytes = 1",
    "daily_growth__no_negative_bytes": "update reports.daily_growth set added_bytes = -1",
    "gaps__affect_every_tag_of_unknown_size": "update reports.gaps set affected_tag_count = 0",
    "gaps__explain_every_bound": "delete from reports.gaps",
    "layer_prefixes__key_is_unique": """
        insert into ingest.layer_prefixes from ingest.layer_prefixes""",
    "layer_prefixes__no_negative_bytes": "update ingest.layer_prefixes set size_bytes = -1",
    "layers__key_is_unique": "update ingest.layer_prefixes set position = 0",
    "manifest_prefixes__key_is_unique": """
        insert into ingest.manifest_prefixes from ingest.manifest_prefixes""",
    "manifest_prefixes__manifest_exists": """
        update ingest.manifest_prefixes set manifest_digest = 'gone'""",
    "manifest_prefixes__series_exists": """
        delete from ingest.layer_prefixes where blob_digest = 'app'""",
    "manifests__key_is_unique": "insert into manifests from manifests",
    "manifests__layers_are_counted": "update manifests set layer_count = layer_count + 1",
    "manifests__no_negative_bytes": "update manifests set config_bytes = -1",
    "namespace_growth__equals_its_repositories": """
        update reports.namespace_growth set shifted_bytes = shifted_bytes + 1""",
    "namespace_growth__no_negative_bytes": """
        update reports.namespace_growth set added_bytes = -1""",
    "namespace_sizes__allocated_adds_up": """
        update reports.namespace_sizes set allocated_bytes = allocated_bytes + 1""",
    "namespace_sizes__ledger_balances": """
        update reports.namespace_sizes set exclusive_bytes = exclusive_bytes + 1""",
    "namespace_sizes__no_negative_bytes": "update reports.namespace_sizes set shared_bytes = -1",
    "namespace_sizes__parts_add_up": """
        update reports.namespace_sizes set shared_bytes = shared_bytes + 1""",
    "namespace_sizes__unknown_is_null": """
        update reports.namespace_sizes set allocated_basis = 'unknown'""",
    "orphaned_followers__no_negative_bytes": """
        update reports.orphaned_followers set reclaimable_bytes = -1""",
    "orphaned_followers__nothing_reaches_the_subject": """
        update reports.orphaned_followers set subject_digest = 'image-1'""",
    "platforms__index_exists": "update platforms set index_digest = 'gone'",
    "platforms__key_is_unique": "insert into platforms from platforms",
    "registry_size__exactly_one_row": "delete from reports.registry_size",
    "registry_size__exact_tags_are_counted": """
        update reports.registry_size set exact_reclaimable_tag_count = 1""",
    "registry_size__unknown_is_null": """
        update reports.registry_size set ledger_basis = 'unknown'""",
    "registry_size__ledger_balances": """
        update reports.registry_size set one_namespace_bytes = one_namespace_bytes + 1""",
    "registry_size__no_negative_bytes": "update reports.registry_size set saved_bytes = -1",
    "repositories__key_is_unique": "insert into repositories from repositories",
    "repository_growth__adds_up": """
        update reports.repository_growth set added_bytes = added_bytes + 1""",
    "repository_growth__ledger_balances": """
        update reports.repository_growth set learned_bytes = learned_bytes + 1""",
    "repository_growth__no_negative_bytes": """
        update reports.repository_growth set allocated_before_bytes = -1""",
    "repository_sizes__allocated_adds_up": """
        update reports.repository_sizes set allocated_bytes = allocated_bytes + 1""",
    "repository_sizes__ledger_balances": """
        update reports.repository_sizes set exclusive_bytes = exclusive_bytes + 1""",
    "repository_sizes__no_negative_bytes": "update reports.repository_sizes set saved_bytes = -1",
    "repository_sizes__parts_add_up": """
        update reports.repository_sizes set saved_bytes = saved_bytes + 1""",
    "repository_sizes__unknown_is_null": """
        update reports.repository_sizes set exclusive_bytes = null""",
    "retention_agreement__counts_hold": """
        update reports.retention_agreement set predicted_tag_count = 3""",
    "retention_coverage__equals_the_curve": """
        update reports.retention_coverage set now_tag_count = 0""",
    "retention_coverage__no_negative_bytes": """
        update reports.retention_coverage set now_reclaimable_bytes = -1""",
    "retention_coverage__takes_more_later": """
        update reports.retention_coverage set now_tag_count = 9""",
    "retention_curve__is_within_sizes": """
        update reports.retention_curve set deleted_tag_count = 0 where keeps = 1""",
    "retention_curve__never_rises": """
        update reports.retention_curve set deleted_tag_count = 9 where keeps > 1""",
    "retention_curve__no_negative_bytes": """
        update reports.retention_curve set reclaimable_bytes = -1""",
    "running_untagged__no_live_tag_has_it": """
        update reports.running_untagged set running_digest = 'image-1'""",
    "stale_tags__old_or_following": """
        update reports.stale_tags set updated_age_days = null, subject_digest = null""",
    "tag_ages__every_tag_in_one_bucket": "update reports.tag_ages set age_bucket = '>365d'",
    "tag_events__equal_history": "delete from reports.tag_events where change = 'created'",
    "tag_events__no_negative_bytes": "update reports.tag_events set orphaned_bytes = -1",
    "tag_events__orphaned_adds_up": """
        update reports.tag_events set orphaned_bytes = orphaned_bytes + 1""",
    "tag_history__begins_in_a_crawl": """
        update tag_history set valid_from = valid_from - interval 1 second""",
    "tag_history__intervals_do_not_overlap": """
        update tag_history set valid_to = valid_to + interval 1 second""",
    "tag_history__intervals_run_forward": """
        update tag_history set valid_to = valid_from - interval 1 second""",
    "tag_sizes__ledger_balances": "delete from reports.tag_sizes where tag = 'v1'",
    "tag_sizes__no_negative_bytes": "update reports.tag_sizes set shared_bytes = -1",
    "tag_sizes__parts_add_up": "update reports.tag_sizes set shared_bytes = shared_bytes + 1",
    "tag_sizes__unknown_is_null": """
        update reports.tag_sizes set logical_bytes = 0 where size_basis = 'unknown'""",
    "tag_use__every_tag_once": "update reports.tag_use set is_seen = null where tag = 'v1'",
    "tag_use__seen_in_snapshots": "update reports.tag_use set matched_by = 'name'",
    "tags__equal_open_history": "delete from tags where tag = 'v1'",
    "tags__key_is_unique": "insert into tags from tags",
    "tags__manifest_exists": "delete from manifests where manifest_digest = 'image-2'",
    "tags__repository_exists": "update repositories set deleted_detected_at = last_seen_at",
    "warehouse__every_column_has_a_comment": "comment on column tags.tag is null",
}
