"""Formats for people and other programs: `etl.toml` with all its tables, and JSON Schema of every file and output."""
