"""`make bench`: how fast the system is, against what its machine can do at most."""
