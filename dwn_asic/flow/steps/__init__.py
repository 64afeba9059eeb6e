"""The steps of a flow, each with its settings, the files it reads and makes, and the function it calls.

The settings of a step contain exactly those parts of the flow file that its function uses, so that only
changes of these parts make the step run again.
"""
