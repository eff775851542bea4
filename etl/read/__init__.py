"""Read: archives to segments."""
