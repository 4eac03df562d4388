"""What the gate goes by: names that the server answers to, its secrets, and who is in."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from app.serving.addresses import network_names
from app.serving.allowance import Allowance
from app.serving.attempts import Attempts
from app.serving.visitors import Role, Seal, Visitor, new_key, same
from app.serving.waiting_room import WaitingRoom

LOCAL_NAMES = ("127.0.0.1", "localhost")
HOST_PATH = "/host"
JOIN_PATH = "/join"
ALONE = Visitor("host", "alone")
"""Whoever reaches a server that is not shared, which is somebody on this machine."""


class Door:
    """Names and secrets of one server.

    Args:
        port: where it listens.
        code: what guests type; "" where the lab is not shared.
        further: names under which others reach this machine, such as a proxy's, with a port where it is not this one's.
    """

    def __init__(self, port: int, code: str = "", further: tuple[str, ...] = ()) -> None:
        self.port, self.code, self.key = port, code, new_key()
        self._once = new_key()
        self.seal, self.attempts, self.allowance = Seal(), Attempts(), Allowance()
        self.waiting = WaitingRoom()
        named = [*LOCAL_NAMES, *(network_names() if code else ())]
        hosts = [f"{name}:{port}" for name in named]
        hosts += [name.lower() for name in further]
        hosts += [f"{name.lower()}:{port}" for name in further if ":" not in name]
        self.hosts = tuple(dict.fromkeys(hosts))
        """As `Host` and `Origin` say them; exactly these are printed."""
        self.cookie_name = (
            f"adapter-lab-{port}"  # a browser sends its cookies to every port of a name
        )

    @property
    def shared(self) -> bool:
        """Whether others are let in."""
        return bool(self.code)

    @property
    def host_path(self) -> str:
        """Where the host becomes the host."""
        return f"{HOST_PATH}?key={self.key}"

    @property
    def path_for_once(self) -> str:
        """The same, for one use: others on this machine can read what a browser is started with."""
        return f"{HOST_PATH}?key={self._once}"

    def opens_to(self, key: str) -> bool:
        """Whether it makes the host."""
        if same(key, self._once):
            self._once = ""
            return True
        return same(key, self.key)

    def answers_to(self, host: str) -> bool:
        """Whether this is a name of the server's; with any port where it is not shared: a tunnel has others."""
        host = host.lower()
        if host in self.hosts or (self.port == 80 and f"{host}:80" in self.hosts):
            return True
        return not self.shared and _name_of(host) in LOCAL_NAMES

    def accepts_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may speak to the server: a page of its own, under the very name.

        Args:
            origin: as a browser says it.
            host: that the request is for.
        """
        scheme, _, name = origin.lower().partition("://")
        return scheme in ("http", "https") and name == host.lower()

    def visitor(self, cookies: str) -> Visitor | None:
        """Who sends these cookies; None for a stranger."""
        if not self.shared:
            return ALONE
        try:
            jar = SimpleCookie(cookies)
        except CookieError:
            return None
        return self.seal.visitor(jar[self.cookie_name].value) if self.cookie_name in jar else None

    def cookie(self, role: Role) -> str:
        """A `Set-Cookie` that makes a browser a visitor, until it is closed."""
        value = self.seal.admit(role)
        # Lax: a link from elsewhere may lead in, but no other site's page can load or send anything with it.
        return f"{self.cookie_name}={value}; Path=/; HttpOnly; SameSite=Lax"


def _name_of(host: str) -> str:
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""
