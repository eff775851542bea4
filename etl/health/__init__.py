"""Health: whether this installation and this machine can do what is asked of them; changes nothing."""
