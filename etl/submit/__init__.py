"""Hand the shards of a build to a fine-tuning API, once, whatever breaks. Only `client` imports the SDK."""
