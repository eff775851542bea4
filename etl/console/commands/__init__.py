"""Commands: a module each, options to one library call, its result to a screen."""
