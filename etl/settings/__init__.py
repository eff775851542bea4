"""Settings: options and their declarations, configuration files, catalogues; imports no other room."""
