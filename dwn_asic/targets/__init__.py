"""Targets that circuits are built for; each target is a package of its own."""
