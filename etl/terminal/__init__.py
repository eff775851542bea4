"""What a person sees, a module a subject; it prints to the consoles it is given and decides nothing."""
