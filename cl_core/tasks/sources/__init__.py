"""Sources of rows: files, folders, pictures and the hub."""
