"""haproxy. `option forwardfor` is the line of its documents."""

from pathlib import Path

import proxy
import world


def config(port: int, forwarded: bool, own_host: bool) -> str:
    """A frontend that passes everything on."""
    return f"""
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  {"option forwardfor" if forwarded else ""}
frontend all
  bind 127.0.0.1:{port}
  {f"http-request set-header Host {world.IMDS}" if own_host else ""}
  default_backend imds
backend imds
  server imds {world.IMDS}:80
"""


def arguments(file: Path) -> list[str]:
    """In the foreground."""
    return ["-db", "-f", str(file)]


proxy.check_all("haproxy", arguments, config)
