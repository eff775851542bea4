"""
A fine-tuning API of our own, over real HTTP on loopback, true to the published description and with faults on demand.

Worlds are accounts that know nothing of each other: `http://127.0.0.1:PORT/WORLD/v1` is the base URL of one. A world
lives in the server's process, so that it outlives a client that is killed.
"""

from pathlib import Path

from .faults import Fault
from .server import Server, serving
from .world import World

PROVIDERS, MODELS = (Path(__file__).with_name(name) for name in ("providers.toml", "models.toml"))
"""Profiles and facts by which what is submitted here never comes to its end; to be laid over those of the package."""

__all__ = ["MODELS", "PROVIDERS", "Fault", "Server", "World", "serving"]
