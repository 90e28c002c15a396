"""Which addresses of the network untrusted input may lead to. Must not know who connects, nor what for.

Below both the client and the embedded server: this rule is one, whoever applies it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits

Resolve = Callable[[str], Sequence[str]]  # host name -> addresses


def resolve(host: str) -> Sequence[str]:
    """Ask the system's resolver. Raises OSError when the name is not known."""
    return sorted({str(one[4][0]) for one in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})


def is_address(host: str) -> bool:
    """Whether a host is given by its address."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def public(address: str) -> bool:
    """Whether an address belongs to the public internet, also when it is written as an IPv4 inside an IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if inner is not None:
            return public(str(inner))
    return found.is_global and not found.is_multicast
