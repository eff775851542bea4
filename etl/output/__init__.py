"""Output: every local write, the output folder, and the finished build in it."""
