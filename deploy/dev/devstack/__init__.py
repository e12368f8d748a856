"""The machine `make run` makes: Postgres, the services, their workers, sign-in and the gateway.

`settings` decides ports, URLs and secrets; `processes` lists what runs; `postgres` makes the
database server; `supervision` keeps processes alive; `stack` puts them together for `make run` and
for the system tests; `status` looks at a running stack from outside.
"""
