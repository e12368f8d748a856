"""Where a request comes from.

Services listen on private addresses only, and the gateway drops what a client says about itself:
whoever sets this header is the gateway.
"""

from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Request

IPV6_NEIGHBOURHOOD = 64  # what one household has

_NAMED = "HTTP_X_FORWARDED_FOR"


def names_client(asked: Request) -> bool:
    """Return whether a request came by way of the gateway, which names its client."""
    return _NAMED in asked.environ


def client_address(asked: Request) -> str:
    """Return the address that the gateway names, of IPv6 ones the network."""
    said = asked.environ.get(_NAMED) or asked.remote_addr or ""
    try:
        address = ip_address(said.rpartition(",")[2].strip())
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), IPV6_NEIGHBOURHOOD), strict=False))
