"""A local SWR and IAM, true to their APIs: for the demo, for trying things out, for tests."""
