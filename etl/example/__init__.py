"""Example: prompts, rendering, tokens and limits of one line; reads no file of a build."""
