"""Debian's nginx with a configuration of a test."""

import shutil
import socket
import subprocess
from contextlib import contextmanager

from tests.support.processes import wait_until

NGINX = shutil.which("nginx")


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running_nginx(folder, port, text):
    """Run Debian's nginx with some servers until the block ends."""
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in names)
    whole = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; user root; events {{}}\n"
    (folder / "nginx.conf").write_text(f"{whole}http {{ access_log off; {paths} {text} }}")
    server = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-p", folder])
    try:
        wait_until(lambda: is_open(port) or server.poll() is not None)
        assert server.poll() is None
        yield
    finally:
        server.terminate()
        server.wait()
