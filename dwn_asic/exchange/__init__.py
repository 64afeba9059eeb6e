"""Import and export of trained models as checkpoints of torch_dwn and dwn2rtl.

Reading never executes anything in a file, and it does not need the packages that wrote the file.
"""
