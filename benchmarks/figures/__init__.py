"""The figures that the project reports: each with its measurement, its target and the command for it."""
