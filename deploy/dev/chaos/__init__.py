"""Faults at chosen moments: processes die at their commits, replies are lost, peers are slow.

The proxies stand between the services and Postgres, and between the services. They read what
passes and need no help from the code that is tested.
"""
