"""The steps of a flow: what each is given, which files it reads and makes, and which function does its work.

Every step's settings are exactly what its function is given, so that nothing else of the flow file, and no
more of it, decides whether the step is up to date.
"""
