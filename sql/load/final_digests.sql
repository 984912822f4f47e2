-- Of some digests those whose stored text no other text can better: it verifies, and only
-- schema 1 manifests may carry signatures that the digest does not cover.
select manifest_digest
from manifests
where
    manifest_digest in (select unnest($digests))
    and is_final(digest_verified, manifest_kind)
