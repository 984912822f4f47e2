"""A local SWR and IAM to develop, demonstrate and test against: product code, loopback only."""
