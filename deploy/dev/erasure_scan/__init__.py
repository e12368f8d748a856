"""`make erasure-scan`: is anything left of a person, in whatever form, in the data or the logs?"""
