"""Pipeline: the order of things in a build, and its account."""
