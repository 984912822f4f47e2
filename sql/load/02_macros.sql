-- Of several texts for one digest the one with the least badness is kept.
create or replace temp macro badness(
    digest_verified, manifest_kind, manifest_bytes
) as row(
    digest_verified is not true,
    manifest_kind = 'invalid',
    manifest_bytes
);

-- Whether a tag is there in an interval that began so.
create or replace temp macro is_live(change) as
change not in ('deleted', 'forgotten');

-- Whether a crawl that ended so closes all tags of its repository.
create or replace temp macro closes_all(status) as
status in ('missing', 'forgotten');

-- A text that verifies is the only one of its digest; only schema 1 manifests
-- may carry signatures that the digest does not cover.
create or replace temp macro is_final(digest_verified, manifest_kind) as
digest_verified is true and manifest_kind not in ('schema1', 'invalid');
