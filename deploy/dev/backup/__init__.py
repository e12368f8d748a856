"""`make backup`, `make restore`: the data of services as files, and back."""
