-- error
-- What a rule takes now it has taken in a week, and so on; without one it takes nothing.
select *
from reports.retention_coverage
where
    now_tag_count > in_7_days_tag_count
    or in_7_days_tag_count > in_30_days_tag_count
    or in_30_days_tag_count > live_tag_count - excepted_tag_count
    or now_reclaimable_bytes > in_7_days_reclaimable_bytes
    or in_7_days_reclaimable_bytes > in_30_days_reclaimable_bytes
    or (now_tag_count = 0 and next_in_days = 0)
    or (now_tag_count > 0 and coalesce(next_in_days, 1) > 0)
    or (coverage in ('rule', 'never_fires')) is distinct from (now_tag_count is not null)
    or (coverage = 'never_fires' and next_in_days is not null);
