"""The figures that the project promises: each measured, with its target and the command that gives it."""
