-- One row per stored blob that a live tag reaches; its size is null where none is known.
select keys.blob_key, keys.blob_digest, users.size_bytes
from intermediate.blob_users as users
inner join intermediate.blob_keys as keys on users.blob_key = keys.blob_key
order by keys.blob_digest;
