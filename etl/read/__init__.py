"""Read: members to segments."""
