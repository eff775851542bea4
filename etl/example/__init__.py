"""Example: what one line is: prompts, rendering, tokens, limits; knows no file of a build."""
