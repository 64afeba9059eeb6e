"""Many runs together: data sets by seeds, their tables, figures and statistics."""
