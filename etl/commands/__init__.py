"""The commands, a module each: options to one library call, its result to the terminal."""
