"""Many runs together: data sets by seeds, their tables, pictures and statistics."""
