-- The size that a manifest states of a blob. Beyond 2^46 it is none. Only the blob of no
-- bytes has 0 of them: of any other a 0 states nothing.
create or replace temp macro stated_size(blob_digest, size_bytes) as
case
    when size_bytes > 70368744177664 then null
    when
        size_bytes <> 0
        or substring(blob_digest, 1, 23) in (
            'sha256:e3b0c44298fc1c14',
            'sha384:38b060a751ac9638',
            'sha512:cf83e1357eefb8bd'
        )
        then size_bytes
end;
