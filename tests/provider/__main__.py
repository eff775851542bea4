"""
Serve on loopback until stopped: `python -m tests.provider --folder DIR --port N`.

With `--run COMMAND…`, the last option, the command is run with `{base_url}` in it replaced, and its exit code returned.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from .server import Server, serving


def main() -> int:
    """Serve, print the base URL, and return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where uploaded files are kept")
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--world", default="demo", help="name of the account")
    parser.add_argument("--run", nargs=argparse.REMAINDER, help="a command to serve, and nothing after it")
    given = parser.parse_args()
    if given.run:
        with serving(given.folder) as server:
            base_url = server.base_url(given.world)
            return subprocess.run(
                [argument.replace("{base_url}", base_url) for argument in given.run], check=False
            ).returncode
    server = Server(given.folder, given.port)
    sys.stdout.write(server.base_url(given.world) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
