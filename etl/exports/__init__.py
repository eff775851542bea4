"""Exports: a finished build as configuration and data of the trainers of open models."""
