"""HTTP with limits of time and size, the proxies and certificates of the environment, and no redirect followed."""
