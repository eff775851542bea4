"""The command line from a checkout: `python cli.py build --workers 8` is `saturi build --workers 8`."""

from saturi.__main__ import main

if __name__ == "__main__":
    main()
