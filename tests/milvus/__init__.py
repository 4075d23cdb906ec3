"""One contract for every place that an index can be in."""
