"""
A toy model, from random numbers to an evaluation: what `make demo-train` needs beside commands that a user has, too.

`model` writes the base model, in an environment with transformers; `serving` runs a command beside a chat server that is a
program; `verdict` says whether the tune is better than copying.
"""
