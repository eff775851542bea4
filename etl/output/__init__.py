"""Output: every write, the output folder and who holds it, and the finished build in it."""
