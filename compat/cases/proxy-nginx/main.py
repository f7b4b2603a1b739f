"""nginx, which in its namespace is root and would else be somebody who isn't there. `$proxy_add_x_forwarded_for` is the line of its documents."""

from pathlib import Path

import proxy
import world


def config(port: int, forwarded: bool, own_host: bool) -> str:
    """A server that passes everything on."""
    lines = [f"proxy_pass http://{world.IMDS};", f"proxy_set_header Host {world.IMDS if own_host else '$http_host'};"]
    if forwarded:
        lines.append("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
    temporary = [f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    return f"""
user root root; daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{}}
http {{
  access_log off; {" ".join(temporary)}
  server {{ listen 127.0.0.1:{port}; location / {{ {" ".join(lines)} }} }}
}}
"""


def arguments(file: Path) -> list[str]:
    """Everything it writes goes beside its configuration."""
    return ["-p", str(file.parent), "-c", str(file), "-e", "stderr"]


proxy.check_all("nginx", arguments, config)
