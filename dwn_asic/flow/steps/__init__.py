"""The steps of a flow: for each its settings, the files that it reads and makes, and the function it calls.

The settings of a step contain exactly those parts of the flow file that its function uses, so that no other
part affects whether the step is up to date.
"""
