"""How the reader of rag/ was trained: `python -m training --help`."""
