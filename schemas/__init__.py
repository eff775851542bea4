"""Every format that crosses a border, as msgspec structs: label files, chat examples, segments, manifest, configuration."""
