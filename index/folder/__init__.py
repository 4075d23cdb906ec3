"""An index in a folder on this machine: immutable segments with checksums, and the switch between generations."""
