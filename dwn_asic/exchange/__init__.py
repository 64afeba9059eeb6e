"""Models from elsewhere and for elsewhere: checkpoints of torch_dwn and dwn2rtl, in and out.

Reading never executes anything from a file and does not need the packages that wrote it.
"""
