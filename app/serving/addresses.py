"""Names under which this machine can be reached, asked of itself alone: nothing is sent, and no name is looked up."""

from __future__ import annotations

import socket
import struct
import sys

_ADDRESS_OF_INTERFACE = 0x8915 if sys.platform == "linux" else 0xC0206921
"""SIOCGIFADDR, of Linux and of the BSDs with macOS."""


def network_names() -> list[str]:
    """Addresses of this machine's interfaces but for the loopback's, then what it calls itself."""
    names = _interface_addresses()
    called = socket.gethostname().lower()
    if called and called != "localhost":
        names.append(called)
    return list(dict.fromkeys(names))


def _interface_addresses() -> list[str]:
    """IPv4, as the server listens to; empty on Windows, which is asked otherwise."""
    try:
        import fcntl
    except ImportError:
        return []
    addresses = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, interface in socket.if_nameindex():
            request = struct.pack("16s24x", interface.encode()[:15])
            try:
                answer = fcntl.ioctl(asked.fileno(), _ADDRESS_OF_INTERFACE, request)
            except OSError:  # it has none
                continue
            addresses.append(socket.inet_ntoa(answer[20:24]))
    return [address for address in addresses if not address.startswith("127.")]
