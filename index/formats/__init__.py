"""One reader a file format; `index.loading` picks among them and imports them when first needed.

A reader is a function `read`: bytes and source in, documents out, with problems between them.
"""
