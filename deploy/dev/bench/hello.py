"""The yardstick: what Flask does on this machine under our gunicorn if it has nothing to do."""

from flask import Flask

app = Flask("hello", static_folder=None)


@app.get("/")
def hello() -> str:
    """Answer."""
    return "hello"
