"""An nginx of the test's own over `deploy/nginx.conf`, with a certificate and passwords, and a reader that asks through it."""

import base64
import http.client
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from cx_intel_tests.helpers.deployed import Deployment, wait_until

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HOST = "cx.example.com"
PASSWORD = "open sesame"
AROUND = """{user}
daemon off;
pid {folder}/run/nginx.pid;
error_log {folder}/log/nginx warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/run/body;
    proxy_temp_path {folder}/run/proxy;
    fastcgi_temp_path {folder}/run/fastcgi;
    uwsgi_temp_path {folder}/run/uwsgi;
    scgi_temp_path {folder}/run/scgi;
    include {folder}/etc/nginx/sites-enabled/cx-intel;
}}
"""
"""What Debian's own nginx.conf has around a site."""


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers in small letters."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@contextmanager
def proxy(made: Deployment, *groups: str) -> Iterator[None]:
    """Nginx in front of a deployment; each group has one user, of its name."""
    folder = made.folder
    made.place("nginx.conf", "etc/nginx/sites-enabled/cx-intel")
    (folder / "etc/nginx/cx-intel").mkdir()
    for group in groups:
        (folder / "etc/nginx/cx-intel" / group).write_text(f"{group}:{{PLAIN}}{PASSWORD}\n")
    (folder / "etc/ssl/private").mkdir(parents=True)
    certificate = folder / f"etc/ssl/{HOST}.pem", folder / f"etc/ssl/private/{HOST}.key"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", f"/CN={HOST}", "-out", str(certificate[0]), "-keyout", str(certificate[1])]
    subprocess.run([*request, *named], check=True, capture_output=True)
    around = folder / "etc/nginx/nginx.conf"
    around.write_text(AROUND.format(user="user root;" if os.getuid() == 0 else "", folder=folder))
    assert NGINX
    tried = subprocess.run([NGINX, "-t", "-q", "-c", str(around)], check=False, capture_output=True, text=True)
    assert (tried.returncode, tried.stderr) == (0, "")
    server = subprocess.Popen([NGINX, "-q", "-c", str(around)])
    try:
        wait_until(lambda: ask(made, "/").status, "nginx", 10)
        yield
    finally:
        server.terminate()
        server.wait(10)


def ask(
    made: Deployment, path: str, user: str = "", body: bytes | None = None, headers: Mapping[str, str] = {}
) -> Answer:
    """An answer through the proxy, to the path as it is written; status 0 where nothing listens."""
    unverified = ssl._create_unverified_context()  # the certificate is of the test's own making
    connection = http.client.HTTPSConnection("127.0.0.1", int(made.ports["https"]), timeout=60, context=unverified)
    own = {"Host": HOST, **headers}
    if user:
        own["Authorization"] = "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
    if body is not None:
        own["Content-Type"] = "application/json"
    try:
        connection.request("POST" if body is not None else "GET", path, body, own)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
    except ConnectionRefusedError:
        return Answer(0, {}, b"")
    finally:
        connection.close()
