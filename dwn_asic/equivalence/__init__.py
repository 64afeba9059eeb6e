"""Whether two circuits are equal: on rows of data, by random simulation and by SAT."""
