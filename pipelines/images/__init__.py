"""What a manifest means: texts become kinds, layers and platforms, as Arrow tables. Pure."""
