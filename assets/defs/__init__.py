"""Dagster definitions: assets, checks, jobs, schedules and sensors, one module for each concern."""
