"""Verbs: what runs, in flow order, as plain Python. Nothing here imports Dagster or `assets`."""
