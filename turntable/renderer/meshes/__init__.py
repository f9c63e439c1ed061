"""Meshes and where they come from."""
