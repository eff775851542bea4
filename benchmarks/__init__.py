"""Benchmarks: a seeded corpus of any size, and contenders that make the same examples of it, each a process."""
