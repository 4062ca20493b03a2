"""What is probed: an nginx that answers a few bytes, over HTTP and HTTPS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from certificates import write_certificates
from processes import empty_folder, listening, running

from pinghome.state_file import free_port

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{http} backlog=4096; location / {{ return 200 "pinghome\\n"; }} }}
  server {{
    listen 127.0.0.1:{https} ssl backlog=4096;
    ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/key.pem;
    ssl_session_tickets off; ssl_session_cache none;
    location / {{ return 200 "pinghome\\n"; }}
  }}
}}
"""


@dataclass(frozen=True)
class Target:
    """Where it listens, and the file of the authority that signed for it."""

    urls: dict[str, str]
    authority: Path


@asynccontextmanager
async def nginx() -> AsyncIterator[Target]:
    """nginx as a process of its own, answering."""
    with empty_folder() as folder:
        write_certificates(folder)
        ports = {"http": free_port(), "https": free_port()}
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, **ports))
        async with running(["nginx", "-c", folder / "nginx.conf"], {}) as process:
            await listening(process, ports["https"])
            urls = {scheme: f"{scheme}://127.0.0.1:{port}/" for scheme, port in ports.items()}
            yield Target(urls, folder / "ca.pem")
