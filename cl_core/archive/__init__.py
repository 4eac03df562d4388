"""Archives: workspaces and runs packed, unpacked, copied and pruned."""
