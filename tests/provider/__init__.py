"""
A fine-tuning API of our own, over real HTTP on loopback, true to the published description and with faults on demand.

Worlds are accounts that know nothing of each other: `http://127.0.0.1:PORT/WORLD/v1` is the base URL of one. A world
lives in the server's process, so that it outlives a client that is killed.
"""

from .faults import Fault
from .server import Server, serving
from .world import World

__all__ = ["Fault", "Server", "World", "serving"]
