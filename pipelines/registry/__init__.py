"""How we pull: the registry's own API, which Docker and its like speak (OCI distribution).

`login` gets a temporary login from SWR, `tokens` exchanges it for bearer tokens, `client` has the
calls. The lists of tags are SWR's own API: `pipelines.swr`. What a manifest means is known to
`pipelines.images` alone.
"""
