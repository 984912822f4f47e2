"""Every table of the warehouse and every table of a landing: names, columns, types and comments.

Schemas `main` and `ingest` hold what runs load; the tables of schema `reports` describe themselves
in `sql/reports`. Names with `_TABLE` are whole tables, the others the part that a run hands to the
loader or lands. `sql/migrations` makes the same tables and takes the comments from here.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

import pipelines.arrow_alone  # noqa: F401 - before anything makes an array; says why

TEXT, INT64, INT32, BOOL, FLOAT = pa.string(), pa.int64(), pa.int32(), pa.bool_(), pa.float64()
MOMENT: pa.DataType = pa.timestamp("us", tz="UTC")
PRICE: pa.DataType = pa.decimal128(12, 6)
_Column = tuple[pa.DataType, str]


def _table(comment: str, **columns: _Column) -> pa.Schema:
    fields = [
        pa.field(name, kind, metadata={"comment": text}) for name, (kind, text) in columns.items()
    ]
    return pa.schema(fields, metadata={"comment": comment})


def comment_of(described: "pa.Schema | pa.Field[Any]") -> str:
    """The comment of a table or of a column."""
    return (described.metadata or {})[b"comment"].decode()


def _without(schema: pa.Schema, *names: str) -> pa.Schema:
    """The columns that a run hands to the loader: all but those that the loader fills."""
    return pa.schema([field for field in schema if field.name not in names])


def _with(schema: pa.Schema, **columns: _Column) -> pa.Schema:
    return pa.schema([*schema, *_table("", **columns)])


COUNTED_RECORDS_TABLE = _table(
    "One row per record that a repository's total counts and that is no live tag, so that the "
    "next run can tell an unchanged repository from a changed one.",
    registry=(TEXT, "Short name of the registry."),
    namespace=(TEXT, "Namespace of the repository."),
    repository=(TEXT, "Repository name."),
    record_key=(
        TEXT,
        "Tag name; for a record without a readable name, # and its id or the hash of its text.",
    ),
    reason=(
        TEXT,
        "deleted (the record says so itself) or rejected (see ingest.rejected_records).",
    ),
    updated_at=(
        MOMENT,
        "When the registry says the record was last updated; null if unreadable.",
    ),
    fingerprint=(
        TEXT,
        (
            "What tells one version of the record from another: its manifest digest, after the "
            "word deleted where it is flagged so; the hash of the text where it is unreadable."
        ),
    ),
)
CRAWLS_TABLE = _table(
    "One row per run and repository: how the reading of it went.",
    registry=(TEXT, "Short name of the registry."),
    run_id=(TEXT, "The run."),
    namespace=(TEXT, "Namespace (organization) of the repository."),
    repository=(TEXT, "Repository name, with / where it has levels."),
    status=(
        TEXT,
        (
            "complete (proven to be what is live), unchanged (proven equal to what was known), "
            "incomplete (not proven; nothing inferred deleted), failed (could not be read; the "
            "last known rows stay), missing (the registry says it is gone; its tags are closed) or "
            "forgotten (given up by `swr-warehouse forget`; its tags are closed)."
        ),
    ),
    cause=(
        TEXT,
        (
            "Why it is incomplete, where one word says it: list_contradicted (the registry itself "
            "counts more tags than its list gave)."
        ),
    ),
    requests=(INT32, "HTTP requests this repository cost, retries included."),
    pages=(INT32, "Tag pages received."),
    expected=(
        INT64,
        "Records the registry said the repository has, in its last answer; null if it never said.",
    ),
    received=(
        INT64,
        (
            "Distinct records received in the last walk; an incremental reading may need only the "
            "newest."
        ),
    ),
    duplicates=(INT64, "Records received more than once in the last walk."),
    attempts=(INT32, "Walks through the repository."),
    unseen_tag_count=(
        INT64,
        "Live tags that an incomplete reading did not see; null for runs before this was counted.",
    ),
    is_listed=(
        BOOL,
        "Whether the repository list showed it; null where the list was not complete.",
    ),
    error=(TEXT, "Why the status is incomplete or failed."),
    started_at=(MOMENT, "When its first request was about to be sent."),
    finished_at=(MOMENT, "When its last answer had arrived."),
)
REJECTED_RECORDS_TABLE = _table(
    "One row per tag record that could not be used, as received.",
    registry=(TEXT, "Short name of the registry."),
    run_id=(TEXT, "The run that received it."),
    namespace=(TEXT, "Namespace asked for."),
    repository=(TEXT, "Repository asked for."),
    reason=(TEXT, "What is wrong with it."),
    record=(
        TEXT,
        "Its raw text, bytes that are no UTF-8 as backslash escapes; of a too large one 1 MB.",
    ),
)
RUNS_TABLE = _table(
    "One row per published run.",
    run_id=(TEXT, "Identifier of the run; the Dagster run's where Dagster started it."),
    as_of=(MOMENT, "The moment all ages of this run's reports are computed for."),
    mode=(
        TEXT,
        (
            "incremental (unchanged repositories are asked for one short page), full, or forget "
            "(nothing was read; what its scope names was given up)."
        ),
    ),
    started_at=(MOMENT, "When the run began."),
    finished_at=(MOMENT, "When its crawl was loaded."),
    status=(
        TEXT,
        "complete (every repository proven) or partial (some incomplete or failed).",
    ),
    scope=(
        TEXT,
        (
            "What the run was asked to read, as JSON: globs of namespaces and repositories, ! "
            "excludes; empty means everything visible."
        ),
    ),
    unread_namespaces=(
        INT32,
        (
            "Visible namespaces this run did not read: outside its scope, or their repository list "
            "refused or failed."
        ),
    ),
    unread_repositories=(
        INT32,
        "Listed repositories of the read namespaces that were outside the run's scope.",
    ),
    stale_days=(
        INT32,
        "A tag not updated for this many days counts as stale in this run's reports.",
    ),
    requests=(INT32, "HTTP requests answered or failed, retries included."),
    retries=(INT32, "Requests sent again after a retryable failure."),
    throttled_seconds=(FLOAT, "Seconds spent waiting because the endpoint said 429."),
    failed_namespaces=(
        INT32,
        (
            "Namespaces in scope whose repository list was refused or failed; null for runs before "
            "this was counted."
        ),
    ),
    received_bytes=(
        INT64,
        "Bytes of the answers' bodies, decompressed; null for runs of before this was counted.",
    ),
    pages=(INT64, "Tag pages received."),
    tags_received=(
        INT64,
        "Distinct records received in the last walk through each repository.",
    ),
    rejected_records=(
        INT64,
        "Tag records that could not be used: see ingest.rejected_records.",
    ),
    repositories_complete=(INT64, "Repositories proven to be what is live."),
    repositories_unchanged=(INT64, "Repositories proven equal to what was known."),
    repositories_incomplete=(INT64, "Repositories that could not be proven."),
    repositories_failed=(INT64, "Repositories that could not be read."),
    repositories_missing=(INT64, "Repositories that answered 404."),
    registry=(TEXT, "Short name of the registry it read."),
    exact_hours=(FLOAT, "A repository proven longer before as_of is in doubt."),
    clock_set_back_seconds=(
        FLOAT,
        "How far the clock stood before the last run's as_of; null where it did not.",
    ),
    clock_offset_seconds=(
        FLOAT,
        "The registry's clock minus ours, by the Date header; null where it sent none.",
    ),
    reader_version=(
        INT32,
        "The reader of manifests that all stored texts were read with; null if it read none.",
    ),
    report_labels=(
        TEXT,
        "Labels that reports.label_sizes is about, separated by line breaks; null if none.",
    ),
    pulls_left=(
        INT64,
        (
            "Manifests, sizes and configurations that were still to be asked for at its end; null "
            "where nobody looked."
        ),
    ),
    resolve_problem=(TEXT, "Why they were not asked for; null where all were, or by the limit."),
    price_per_gb_month=(PRICE, "What 2^30 bytes cost a month; null where no price was set."),
    currency=(TEXT, "The price's currency."),
    in_use_days=(
        INT64,
        "What was seen running so many days before as_of, or later, counts as seen.",
    ),
)
LAYERS_TABLE = _table(
    "One row per manifest and layer position.",
    manifest_digest=(TEXT, "The manifest."),
    position=(INT32, "0 is the base."),
    blob_digest=(TEXT, "Digest of the layer."),
    size_bytes=(INT64, "Size this manifest states; null when it states none."),
    media_type=(TEXT, "Media type; null for schema 1."),
    is_stored=(
        BOOL,
        "False for foreign (non-distributable) layers, which the registry does not hold.",
    ),
    prefix_digest=(
        TEXT,
        "sha256 over the layer digests from the base up to here: equal prefix, same base.",
    ),
)
LAYER_PREFIXES_TABLE = _table(
    "One row per series of layers, from the base up, that manifests list alike: its last layer. "
    "Stored once, however many manifests begin with it; see main.layers.",
    prefix_key=(INT64, "A number that stays."),
    prefix_digest=(TEXT, "As in main.layers."),
    position=(INT32, "As in main.layers."),
    blob_digest=(TEXT, "As in main.layers."),
    size_bytes=(INT64, "As in main.layers."),
    media_type=(TEXT, "As in main.layers."),
    is_stored=(BOOL, "As in main.layers."),
)
MANIFEST_PREFIXES_TABLE = _table(
    "One row per manifest with layers; see main.layers.",
    manifest_digest=(TEXT, "The manifest."),
    prefix_keys=(
        pa.list_(INT64),
        "The series it begins with, in ingest.layer_prefixes: the base alone first, all last.",
    ),
)
MANIFESTS_TABLE = _table(
    "One row per distinct manifest digest ever seen.",
    manifest_digest=(TEXT, "Digest in its canonical form: algorithm and hex digits in lower case."),
    source=(
        TEXT,
        "Where the text came from: tag (a tag record), embedded (an index) or pull.",
    ),
    manifest_kind=(TEXT, "image, index, schema1, artifact, cache, unknown or invalid."),
    media_type=(
        TEXT,
        "The manifest's media type, stated or told from its shape; null when it cannot be told.",
    ),
    artifact_type=(TEXT, "OCI artifactType, where stated."),
    schema_version=(INT32, "schemaVersion, where stated."),
    config_digest=(TEXT, "Digest of the configuration blob."),
    config_media_type=(TEXT, "Media type of the configuration blob."),
    config_bytes=(INT64, "Size of the configuration blob."),
    layer_count=(INT32, "Layers listed; null for indexes and invalid manifests."),
    logical_bytes=(
        INT64,
        (
            "Bytes of the distinct stored blobs this one manifest states itself: configuration and "
            "layers; null when nothing is known."
        ),
    ),
    size_basis=(
        TEXT,
        "exact, lower_bound (some parts unknown) or unknown, for logical_bytes.",
    ),
    digest_verified=(
        BOOL,
        "Whether the digest is that of the text; null when its algorithm is not known here.",
    ),
    subject_digest=(
        TEXT,
        "Digest this manifest refers to as its subject: signatures, attestations, SBOMs.",
    ),
    manifest_bytes=(INT64, "Length of the text in bytes of UTF-8."),
    manifest=(TEXT, "The text, verbatim."),
    problem=(TEXT, "What is wrong with it, in one sentence; null when nothing is."),
    first_seen_at=(MOMENT, "as_of of the run that first stored it."),
)
PLATFORMS_TABLE = _table(
    "One row per child of an index.",
    index_digest=(TEXT, "The index (manifest list)."),
    position=(INT32, "Place in the index, from 0."),
    manifest_digest=(TEXT, "Digest of the child."),
    media_type=(TEXT, "Media type of the child, as the index states it."),
    manifest_bytes=(INT64, "Length of the child manifest, as the index states it."),
    os=(TEXT, "Operating system, verbatim."),
    architecture=(TEXT, "Processor architecture, verbatim."),
    variant=(TEXT, "Variant of the architecture, verbatim."),
    os_version=(TEXT, "Version of the operating system, verbatim."),
    is_attestation=(BOOL, "Whether the child is a build attestation and no image."),
    is_blob=(BOOL, "Whether the child is a blob, held by the index itself, and no manifest."),
)
REPOSITORIES_TABLE = _table(
    "One row per repository ever read.",
    registry=(TEXT, "Short name of the registry."),
    namespace=(TEXT, "Namespace (organization)."),
    repository=(TEXT, "Repository name, with / where it has levels."),
    repo_id=(
        INT64,
        "The registry's id, taken from its tag records; null if none was ever read.",
    ),
    is_public=(BOOL, "Whether anyone may pull from it."),
    api_size_bytes=(INT64, "The registry's own word on its size."),
    api_tag_count=(
        INT64,
        "The registry's own word on its number of tags, from the repository list.",
    ),
    download_count=(INT64, "Pulls, as the registry counts them."),
    created_at=(MOMENT, "When it was created, says the registry."),
    updated_at=(MOMENT, "When it was last updated, says the registry."),
    tag_count=(INT64, "Live tags in this warehouse."),
    first_seen_at=(MOMENT, "as_of of the first run that listed or read it."),
    last_seen_at=(
        MOMENT,
        "as_of of the last run that read it completely or found it unchanged; null if none has.",
    ),
    read_at=(MOMENT, "as_of of the last run that proved it; null if none has."),
    crawl_status=(TEXT, "Status of its latest crawl; null if it was never crawled."),
    crawl_cause=(TEXT, "Cause of its latest crawl: see ingest.crawls."),
    crawl_error=(TEXT, "Error of its latest crawl."),
    unseen_tag_count=(INT64, "Live tags that its latest crawl, an incomplete one, did not see."),
    unlisted_since=(
        MOMENT,
        (
            "as_of of the first run whose complete list no longer showed it while no 404 confirmed "
            "that it is gone; null otherwise."
        ),
    ),
    deleted_detected_at=(
        MOMENT,
        "When a run first found it gone, or it was forgotten; null while it is there.",
    ),
)
TAG_HISTORY_TABLE = _table(
    "One row per interval during which a tag pointed at one digest, or was deleted. The truth of "
    "a change lies between its _earliest moment and the moment beside it.",
    registry=(TEXT, "Short name of the registry."),
    namespace=(TEXT, "Namespace (organization)."),
    repository=(TEXT, "Repository name."),
    tag=(TEXT, "Tag name."),
    manifest_digest=(TEXT, "The digest; null while deleted."),
    change=(TEXT, "How the interval began: created, moved, deleted, restored or forgotten."),
    valid_from=(MOMENT, "When a crawl saw the change."),
    valid_from_earliest=(
        MOMENT,
        "The last complete crawl before that, which did not see it; null if there was none.",
    ),
    valid_to=(MOMENT, "When a crawl saw the next change; null while the interval is open."),
    valid_to_earliest=(
        MOMENT,
        "The last complete crawl before the next change; null while open, or if there was none.",
    ),
)
TAGS_TABLE = _table(
    "One row per live tag.",
    registry=(TEXT, "Short name of the registry."),
    namespace=(TEXT, "Namespace (organization)."),
    repository=(TEXT, "Repository name, with / where it has levels."),
    tag=(TEXT, "Tag name."),
    tag_id=(INT64, "The registry's id of the tag."),
    repo_id=(INT64, "The registry's id of the repository."),
    manifest_digest=(
        TEXT,
        "Digest of the manifest the tag points at, as the registry says it.",
    ),
    image_id=(
        TEXT,
        "Hex digest of the image configuration, as the registry says it; empty for indexes.",
    ),
    manifest_kind=(TEXT, "Kind of that manifest, from manifests."),
    schema_version=(INT32, "Docker schema version, says the registry: 1 or 2."),
    tag_type=(INT32, "The registry's type: 0 manifest, 1 manifest list."),
    api_size_bytes=(
        INT64,
        "The registry's own word on the image's size: configuration and layers.",
    ),
    is_trusted=(BOOL, "Whether the registry calls the image trusted."),
    is_scanned=(BOOL, "Whether the registry has scanned it; null where it does not say."),
    path=(TEXT, "Pull address."),
    internal_path=(TEXT, "Pull address inside the cloud."),
    domain_id=(TEXT, "Account that owns it."),
    created_at=(MOMENT, "When the tag was created, says the registry."),
    updated_at=(MOMENT, "When the tag was last pushed or moved, says the registry."),
    api_deleted_at=(
        MOMENT,
        "When it was deleted, says the registry; null for every live tag.",
    ),
    unreadable_fields=(
        TEXT,
        "Optional fields of the record that could not be read, separated by commas.",
    ),
    first_seen_at=(MOMENT, "When a crawl first read the tag."),
    last_seen_at=(
        MOMENT,
        (
            "as_of of the last run that read the record; for unchanged repositories see "
            "repositories.last_seen_at."
        ),
    ),
    pulled_at=(
        MOMENT,
        "When the tag was last pulled, says an instance; null where it never was, or nothing says.",
    ),
)

REGISTRIES_TABLE = _table(
    "One row per registry that was ever read: the host of its endpoint and its account.",
    registry=(TEXT, "Short name."),
    endpoint=(TEXT, "Host of its API; loopback for this machine, whatever the port."),
    region=(TEXT, "Region; null where only an endpoint is set."),
    domain=(TEXT, "Account that owns it; null while unknown."),
    first_seen_at=(MOMENT, "as_of of the first run that read it."),
    last_seen_at=(MOMENT, "as_of of the last run that read it."),
)
NAMESPACES_TABLE = _table(
    "One row per namespace that was ever visible: what is known of its list of repositories.",
    registry=(TEXT, "Short name of the registry."),
    namespace=(TEXT, "Namespace (organization)."),
    first_seen_at=(MOMENT, "as_of of the first run that saw it in the list of namespaces."),
    last_seen_at=(MOMENT, "as_of of the last run that saw it there."),
    list_status=(
        TEXT,
        (
            "How the latest run fared with its repository list: complete, incomplete (fewer than "
            "the list's own total), failed or not_asked (outside the scope). incomplete stays "
            "until a run gets a list again: what was cut is still unknown."
        ),
    ),
    listed_at=(MOMENT, "as_of of the last run that listed it completely; null if none has."),
    unreadable_repositories=(
        INT64,
        "Records without a readable name in the latest list there was.",
    ),
    error=(TEXT, "Why the list is incomplete or failed."),
)

PULLS_TABLE = _table(
    "One row per answer of the registry's pull API: what the tag lists leave out.",
    registry=(TEXT, "Short name of the registry."),
    kind=(TEXT, "What was asked for: manifest, blob (its size alone) or config."),
    digest=(TEXT, "Digest of the manifest or blob."),
    namespace=(TEXT, "Namespace of the repository that was asked."),
    repository=(TEXT, "Its name."),
    outcome=(
        TEXT,
        (
            "read; missing (the repository does not hold it); wrong (what it gave has another "
            "digest, or cannot be read). All but read are asked again after some days."
        ),
    ),
    size_bytes=(INT64, "Bytes of the manifest, blob or configuration; null unless read."),
    detail=(TEXT, "What the registry said, or what is wrong; null where it was read."),
    run_id=(TEXT, "The run that loaded the answer."),
    asked_at=(MOMENT, "When it was asked for."),
)
SERVICE_FIGURES_TABLE = _table(
    "One row per run and figure that the service states of the whole account, as it states them.",
    registry=(TEXT, "Short name of the registry."),
    run_id=(TEXT, "The run that asked."),
    name=(TEXT, "overview, or reports/store/daily: the end of the API's path."),
    answer=(TEXT, "The JSON as received; null where there was none."),
    error=(TEXT, "Why there was none."),
    namespace_count=(INT64, "Namespaces, by the overview."),
    repository_count=(INT64, "Repositories, by the overview."),
    tag_count=(INT64, "Images, by the overview: its word for tags."),
    stored=(FLOAT, "Storage by the overview; its unit is not documented."),
    asked_at=(MOMENT, "When it was asked for."),
)
DOWNLOAD_COUNTS_TABLE = _table(
    "One row per run and repository whose count of pulls is another than the run before found.",
    registry=(TEXT, "Short name of the registry."),
    run_id=(TEXT, "The run."),
    namespace=(TEXT, "Namespace of the repository."),
    repository=(TEXT, "Its name."),
    download_count=(INT64, "Pulls since it was made, as the registry counts them."),
)
RETENTION_RULES_TABLE = _table(
    "One row per repository and answer on its retention rules that is another than the one before: "
    "see SWR_READ_RULES. The latest of a repository is what holds.",
    registry=(TEXT, "Short name of the registry."),
    run_id=(TEXT, "The run that read it first."),
    namespace=(TEXT, "Namespace of the repository."),
    repository=(TEXT, "Its name."),
    outcome=(
        TEXT,
        "read; refused (403, or any refusal of the request) or missing (404).",
    ),
    answer=(TEXT, "The JSON as received; null where there was none."),
    error=(TEXT, "Why there was none."),
    log_error=(TEXT, "Why the log of a repository with a rule could not be read; null if it was."),
    retention_id=(INT64, "The registry's id of the rule; null where there is none."),
    template=(TEXT, "Kind of rule in SWR's words; null where there is none, or none to be judged."),
    keeps=(INT32, "Tags (tag_rule) or days (date_rule) that it keeps."),
    tag_selectors=(TEXT, "Its exceptions, a JSON array of objects with kind and pattern."),
    problem=(TEXT, "Why the answer cannot be judged, in one sentence; null when it can."),
    list_entry=(
        TEXT,
        "What the repository list said when it was last read, without downloads: JSON.",
    ),
    first_read_at=(MOMENT, "When it was first read."),
    last_read_at=(MOMENT, "When it was last read, and was still the same."),
)
RETENTION_SELECTORS_TABLE = _table(
    "One row per exception of the retention rule that a repository has now.",
    registry=(TEXT, "Short name of the registry."),
    namespace=(TEXT, "Namespace of the repository."),
    repository=(TEXT, "Its name."),
    kind=(TEXT, "label (the name of a tag) or regexp."),
    pattern=(TEXT, "The name or the pattern."),
)
RETENTION_LOG_TABLE = _table(
    "One row per deletion that the registry's own log of its retention rules names.",
    registry=(TEXT, "Short name of the registry."),
    run_id=(TEXT, "The run that read it first."),
    namespace=(TEXT, "Namespace of the repository."),
    repository=(TEXT, "Its name."),
    entry_key=(TEXT, "The log's id of the deletion; the text of an entry without one."),
    retention_id=(INT64, "The rule that deleted it, by its id."),
    rule_type=(TEXT, "Kind of that rule."),
    tag=(TEXT, "The tag that was deleted."),
    deleted_at=(MOMENT, "When, says the log."),
    entry=(TEXT, "The entry as received."),
    problem=(TEXT, "Why it cannot be read, in one sentence; null when it can."),
)
RETENTION_FITS_TABLE = _table(
    "One row per execution of a retention rule that the log names and way to read the rule: what "
    "the rule was predicted to delete of the tags that were known before.",
    registry=(TEXT, "Short name of the registry."),
    run_id=(TEXT, "The run that read of the execution."),
    namespace=(TEXT, "Namespace of the repository."),
    repository=(TEXT, "Its name."),
    executed_at=(MOMENT, "The first deletion of the execution, by the log."),
    retention_id=(INT64, "The rule, by its id."),
    template=(TEXT, "Kind of rule."),
    clock=(TEXT, "How the rule is read: see docs/deciding.md. Null for what decides nothing here."),
    days=(TEXT, "Likewise."),
    selectors=(TEXT, "Likewise."),
    unit=(TEXT, "Likewise."),
    match=(TEXT, "Likewise."),
    ties=(TEXT, "Likewise."),
    tag_count=(INT64, "Tags that were there, as far as it is known whether the rule deleted them."),
    logged_count=(INT64, "Of these, those that the log names."),
    predicted_count=(INT64, "Of these, those that the rule deletes by this reading."),
    agreed_count=(INT64, "Of these, those that both do."),
)
IMAGE_CONFIGS_TABLE = _table(
    "One row per image whose configuration was read: see SWR_READ_CONFIGS.",
    manifest_digest=(TEXT, "The image's manifest."),
    config_digest=(TEXT, "Its configuration."),
    os=(TEXT, "Operating system, verbatim."),
    architecture=(TEXT, "Processor architecture, verbatim."),
    variant=(TEXT, "Variant of the architecture, verbatim."),
    built_at=(MOMENT, "When it was built, by its own word; null where it names no real date."),
    labels=(TEXT, "Its labels: a JSON object of texts."),
    base_name=(TEXT, "Label org.opencontainers.image.base.name."),
    base_digest=(TEXT, "Label org.opencontainers.image.base.digest."),
    history_steps=(INT32, "Steps of its history, empty ones included."),
    problem=(TEXT, "What of it cannot be read, in one sentence; null when all can."),
)
IMAGE_LABELS_TABLE = _table(
    "One row per label of a configuration that was read.",
    config_digest=(TEXT, "The configuration: see image_configs."),
    label_key=(TEXT, "Name of the label."),
    label_value=(TEXT, "Its text."),
)
IN_USE_SNAPSHOTS_TABLE = _table(
    "One row per snapshot of what runs: see `swr-warehouse in-use`.",
    snapshot_id=(TEXT, "When it was taken, and a hash of what it holds."),
    cluster=(TEXT, "Where it all ran, by its owner's word."),
    taken_at=(MOMENT, "When it ran."),
    kept_at=(MOMENT, "When the snapshot was given to us."),
)
IN_USE_REFERENCES_TABLE = _table(
    "One row per snapshot, distinct image reference with what the runtime says of it, and place.",
    snapshot_id=(TEXT, "The snapshot."),
    reference=(TEXT, "What it comes to: the parts of image and image_id, aliases resolved."),
    image=(TEXT, "The reference as written; where it cannot be read, perhaps only its place."),
    image_id=(TEXT, "What the runtime says that it runs, as written; null where it says nothing."),
    found_in=(
        TEXT,
        (
            "pod (its containers), ended_pod, volume (of a pod), template (of a controller), node "
            "(held by it), list or unreadable."
        ),
    ),
    container_count=(
        INT64,
        "Containers that run it, or volumes of it; 0 where it is only named, held or ended.",
    ),
    host=(TEXT, "Host of image, docker.io where none is named; null where it is a digest alone."),
    namespace=(TEXT, "First part of the path of image; null where that has only one."),
    repository=(TEXT, "The rest of it."),
    tag=(TEXT, "Tag of image; latest where it has neither tag nor digest."),
    digest=(TEXT, "Digest of image, where it has one."),
    id_host=(TEXT, "Host of image_id."),
    id_namespace=(TEXT, "First part of its path."),
    id_repository=(TEXT, "The rest of it."),
    id_digest=(TEXT, "Its digest: of a manifest, an index or a configuration."),
    is_readable=(BOOL, "Whether any of it could be read."),
)

# What a run hands to the loader: the tables without the columns that the loader fills.
TAGS = _without(TAGS_TABLE, "registry", "manifest_kind", "first_seen_at", "last_seen_at")
MANIFESTS = _without(MANIFESTS_TABLE, "first_seen_at")
REGISTRIES = _without(REGISTRIES_TABLE, "registry", "first_seen_at", "last_seen_at")
NAMESPACES = _without(NAMESPACES_TABLE, "registry", "first_seen_at", "last_seen_at", "listed_at")
# Of the manifests in hand: `place` stands for `prefix_key`, `places` for `prefix_keys`.
LAYER_PREFIXES = pa.schema(
    [pa.field("place", INT64), *_without(LAYER_PREFIXES_TABLE, "prefix_key")]
)
MANIFEST_PREFIXES = pa.schema(
    [MANIFEST_PREFIXES_TABLE.field("manifest_digest"), pa.field("places", pa.list_(INT64))]
)
IMAGE_CONFIGS = _without(IMAGE_CONFIGS_TABLE, "manifest_digest")
IMAGE_LABELS = IMAGE_LABELS_TABLE
PLATFORMS = PLATFORMS_TABLE
REPOSITORIES = _without(
    REPOSITORIES_TABLE,
    "registry",
    "repo_id",
    "tag_count",
    "first_seen_at",
    "last_seen_at",
    "read_at",
    "crawl_status",
    "crawl_cause",
    "crawl_error",
    "unseen_tag_count",
    "unlisted_since",
    "deleted_detected_at",
)
SERVICE_FIGURES = _without(SERVICE_FIGURES_TABLE, "registry", "run_id")
RETENTION_RULES = _with(
    _without(RETENTION_RULES_TABLE, "registry", "run_id", "first_read_at", "last_read_at"),
    read_at=(MOMENT, "When it was asked for."),
)
RETENTION_LOG = _without(RETENTION_LOG_TABLE, "registry", "run_id")
RETENTION_FITS = _without(RETENTION_FITS_TABLE, "registry", "run_id")
REJECTED = _without(REJECTED_RECORDS_TABLE, "registry", "run_id")
# Every record that could not be used counts in the repository's total.
COUNTED = pa.schema(
    [
        COUNTED_RECORDS_TABLE.field(name)
        for name in ("namespace", "repository", "record_key", "fingerprint", "updated_at")
    ]
)
CRAWLS = _with(
    _without(CRAWLS_TABLE, "registry", "run_id", "unseen_tag_count"),
    lists_everything=(
        BOOL,
        (
            "Whether the records read are all the registry holds: a known tag that is not among "
            "them, nor among the rejected ones, is gone."
        ),
    ),
)

# What a landing holds: see `pipelines.landing.writer`.
PAGES = _table(
    "One row per page of tag records read, verbatim.",
    namespace=(TEXT, "Namespace (organization) asked for."),
    repository=(TEXT, "Repository asked for."),
    walk=(INT32, "Which walk through the repository read it; 0 is the incremental reading."),
    record_count=(INT32, "How many of its records are kept."),
    kept=(pa.list_(INT32), "Positions of the records that are kept; null if all are."),
    page_bytes=(INT64, "Length of the page in bytes."),
    page=(pa.binary(), "The JSON array as received, to the byte, as a frame of zstd."),
)
LANDED_PULLS = _with(
    _without(PULLS_TABLE, "registry", "run_id"),
    body=(pa.binary(), "The manifest or configuration as received; null where none was."),
)
LANDED_IN_USE = pa.schema(
    [*IN_USE_SNAPSHOTS_TABLE, *_without(IN_USE_REFERENCES_TABLE, "snapshot_id")]
)
LANDED_CRAWLS = _with(
    CRAWLS,
    retries=(INT32, "Requests sent again after a retryable failure."),
    throttled_seconds=(FLOAT, "Seconds spent waiting because the endpoint said 429."),
    bytes=(INT64, "Bytes of the answers' bodies, decompressed."),
    first_walk=(INT32, "Records of walks from this one on are to be loaded."),
    first_part=(INT32, "Records of parts from this one on are to be loaded."),
)

# By schema and name, as the warehouse has them.
TABLES: Mapping[tuple[str, str], pa.Schema] = {
    ("main", "registries"): REGISTRIES_TABLE,
    ("main", "repositories"): REPOSITORIES_TABLE,
    ("main", "tags"): TAGS_TABLE,
    ("main", "tag_history"): TAG_HISTORY_TABLE,
    ("main", "manifests"): MANIFESTS_TABLE,
    ("main", "platforms"): PLATFORMS_TABLE,
    ("main", "image_configs"): IMAGE_CONFIGS_TABLE,
    ("main", "image_labels"): IMAGE_LABELS_TABLE,
    ("ingest", "layer_prefixes"): LAYER_PREFIXES_TABLE,
    ("ingest", "manifest_prefixes"): MANIFEST_PREFIXES_TABLE,
    ("ingest", "runs"): RUNS_TABLE,
    ("ingest", "namespaces"): NAMESPACES_TABLE,
    ("ingest", "crawls"): CRAWLS_TABLE,
    ("ingest", "rejected_records"): REJECTED_RECORDS_TABLE,
    ("ingest", "counted_records"): COUNTED_RECORDS_TABLE,
    ("ingest", "pulls"): PULLS_TABLE,
    ("ingest", "service_figures"): SERVICE_FIGURES_TABLE,
    ("ingest", "download_counts"): DOWNLOAD_COUNTS_TABLE,
    ("ingest", "retention_rules"): RETENTION_RULES_TABLE,
    ("ingest", "retention_selectors"): RETENTION_SELECTORS_TABLE,
    ("ingest", "retention_log"): RETENTION_LOG_TABLE,
    ("ingest", "retention_fits"): RETENTION_FITS_TABLE,
    ("ingest", "in_use_snapshots"): IN_USE_SNAPSHOTS_TABLE,
    ("ingest", "in_use_references"): IN_USE_REFERENCES_TABLE,
}
# A view, and the tables that its rows are stored in, of which nobody has to know.
LAYERS_VIEW = ("main", "layers")
BEHIND_LAYERS = frozenset({("ingest", "layer_prefixes"), ("ingest", "manifest_prefixes")})
# What people know the loaded rows as.
LOADED: Mapping[tuple[str, str], pa.Schema] = {
    LAYERS_VIEW: LAYERS_TABLE,
    **{name: columns for name, columns in TABLES.items() if name not in BEHIND_LAYERS},
}
