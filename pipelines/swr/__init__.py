"""How we talk to SWR: credentials, transport, paging, the API's own shapes, a local emulator."""
