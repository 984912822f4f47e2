"""How the registry is cut into partitions: by namespace, as namespaces become visible."""

import dagster as dg

NAMESPACES = dg.DynamicPartitionsDefinition(name="namespaces")
