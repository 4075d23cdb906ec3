"""Reading and embedding many files by the workers of a Ray cluster."""
