"""Pairs of finished builds: all of them as one frame, a few to look at, and what differs between two builds."""
