-- What takes the space: the largest namespaces, the largest repositories of each, the
-- largest tags of each. What a list leaves out is one row without a name, the sum of its
-- part_count parts. The deduplicated bytes of a tag are its logical ones, each blob once;
-- what it shares is divided no further than among repositories.
with
parts as (
    select
        1 as level,
        null as in_namespace,
        null as in_repository,
        registry,
        namespace,
        null as repository,
        null as tag,
        tag_count,
        deduplicated_bytes,
        size_basis,
        exclusive_bytes,
        exclusive_basis,
        allocated_bytes,
        allocated_basis,
        newest_updated_at as updated_at
    from reports.namespace_sizes
    union all
    select
        2 as level,
        namespace as in_namespace,
        null as in_repository,
        registry,
        namespace,
        repository,
        null as tag,
        tag_count,
        deduplicated_bytes,
        size_basis,
        exclusive_bytes,
        exclusive_basis,
        allocated_bytes,
        allocated_basis,
        newest_updated_at as updated_at
    from reports.repository_sizes
    union all
    select
        3 as level,
        namespace as in_namespace,
        repository as in_repository,
        registry,
        namespace,
        repository,
        tag,
        1 as tag_count,
        logical_bytes as deduplicated_bytes,
        size_basis,
        exclusive_bytes,
        exclusive_basis,
        null as allocated_bytes,
        null as allocated_basis,
        updated_at
    from reports.tag_sizes
),

placed as (
    select
        *,
        row_number() over (
            partition by level
            order by
                coalesce(allocated_bytes, exclusive_bytes) desc nulls last,
                deduplicated_bytes desc nulls last,
                namespace,
                repository,
                tag
        ) as place
    from parts
),

ranked as (
    select
        *,
        row_number() over (
            partition by level, in_namespace, in_repository
            order by place
        ) as place_inside
    from placed
),

judged as (
    select
        *,
        case level
            when 1 then place <= 300
            when 2 then place <= 2000 or place_inside <= 5
            else place <= 10000 or place_inside <= 5
        end as is_large
    from ranked
),

-- Bits say how a sum may be off: 1, it may be more; 2, it may be less.
shown as (
    select
        parts.*,
        case when parts.level > 1 or parts.is_large then parts.namespace end
            as shown_namespace,
        case when parts.level > 2 or parts.is_large then parts.repository end
            as shown_repository,
        case when parts.is_large then parts.tag end as shown_tag,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(parts.size_basis, 'unknown', 'lower_bound')
        ) as size_bits,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(parts.exclusive_basis, 'unknown', 'lower_bound')
        ) as exclusive_bits,
        list_position(
            ['lower_bound', 'upper_bound', 'estimate'],
            replace(parts.allocated_basis, 'unknown', 'lower_bound')
        ) as allocated_bits
    from judged as parts
    left join judged as namespaces
        on namespaces.level = 1 and parts.in_namespace = namespaces.namespace
    left join judged as repositories
        on repositories.level = 2
        and parts.in_namespace = repositories.namespace
        and parts.in_repository = repositories.repository
    where
        coalesce(namespaces.is_large, true)
        and coalesce(repositories.is_large, true)
),

summed as (
    select
        level,
        shown_namespace as namespace,
        shown_repository as repository,
        shown_tag as tag,
        count(*) as part_count,
        sum(tag_count) as tag_count,
        sum(deduplicated_bytes) as deduplicated_bytes,
        bit_or(size_bits) as size_bits,
        sum(exclusive_bytes) as exclusive_bytes,
        bit_or(exclusive_bits) as exclusive_bits,
        sum(allocated_bytes) as allocated_bytes,
        bit_or(allocated_bits) as allocated_bits,
        max(updated_at) as newest_updated_at
    from shown
    group by level, shown_namespace, shown_repository, shown_tag
)

select
    level,
    namespace,
    repository,
    tag,
    part_count,
    cast(tag_count as bigint) as tag_count,
    try_cast(deduplicated_bytes as bigint) as deduplicated_bytes,
    case
        when deduplicated_bytes is null then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(size_bits, 0)
            ]
    end as size_basis,
    try_cast(exclusive_bytes as bigint) as exclusive_bytes,
    case
        when exclusive_bytes is null then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(exclusive_bits, 0)
            ]
    end as exclusive_basis,
    try_cast(allocated_bytes as bigint) as allocated_bytes,
    case
        when level = 3 then null
        when allocated_bytes is null then 'unknown'
        else
            ['exact', 'lower_bound', 'upper_bound', 'estimate'][
                1 + coalesce(allocated_bits, 0)
            ]
    end as allocated_basis,
    newest_updated_at
from summed
order by level, namespace, repository, tag;
