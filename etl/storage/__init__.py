"""Object storage: names of objects as paths, and every request for them."""
