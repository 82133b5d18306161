"""An institute: two servers on one home behind nginx with TLS, PostgreSQL and Redis, as the files in deploy/ say."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest
import yaml

from tests import daemons
from tests.unit.service.conftest import Server, as_npy, asked, launch, prepare, stop

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
LOOKUPS = "/api/v1/lookups"
NAME = "lookup.example.org"
DENIED, PERSON = "127.0.0.66", "127.0.0.5"


@dataclass
class Institute:
    """What runs.

    Attributes
    ----------
    servers : list of Server
    url : str
        Of nginx, with TLS.
    plain_url : str
        The same without.
    folder, nginx : pathlib.Path
        Settings and logs of the servers; of nginx.
    """

    servers: list[Server]
    url: str
    plain_url: str
    folder: Path
    nginx: Path

    def client(self, token=None, address=PERSON, **headers):
        """Somebody at an address, who looks at the certificate."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        trust = ssl.create_default_context(cafile=self.nginx / "certificate.pem")
        transport = httpx.HTTPTransport(verify=trust, local_address=address)
        return httpx.Client(base_url=self.url, headers={"Host": NAME, **headers}, transport=transport, timeout=120)

    def audit(self, answer):
        """The line of a request, which is written once it is answered."""
        request, found = answer.headers["x-request-id"], []

        def written():
            lines = (self.servers[0].home / "audit.jsonl").read_text().splitlines()
            found[:] = [line for line in map(json.loads, lines) if line["request"] == request]
            return found

        self.servers[0].wait_for(written, 10)
        return found[0]


def post(client, array, **fields):
    return client.post(LOOKUPS, files={"file": ("film.npy", as_npy(array))}, data=asked(**fields))


def settings_of_the_institute(database, counters):
    """Those of deploy/service.yaml with this machine's places."""
    shipped = yaml.safe_load((DEPLOY / "service.yaml").read_text())
    assert shipped["servers"] == 2 and shipped["hosts"] == [NAME] and shipped["proxies"] == ["127.0.0.1"]
    own = {"database": database, "counters": counters, "workers": 1, "deny": [DENIED]}
    kept = {name: value for name, value in shipped.items() if name not in ("home", "bundles")}
    return {**kept, **own, "limits": {"per_minute": 6, "at_once": 1}}


@pytest.fixture(scope="module")
def institute(tiny_bundle_file, tmp_path_factory, postgresql, redis_url):
    """Everything, started."""
    (nginx, openssl) = daemons.needed("nginx", "openssl")
    folder, ports = tmp_path_factory.mktemp("institute"), [daemons.free_port() for _ in range(4)]
    with postgresql.database("institute") as url, daemons.own_folder() as site:
        home = prepare(folder, tiny_bundle_file, **settings_of_the_institute(url, redis_url))
        servers = [launch(folder, home, str(port), port) for port in ports[:2]]  # no wait: both open an empty database
        try:
            write_site(site, ports, openssl)
            command = [nginx, "-p", site, "-c", site / "main.conf"]
            with daemons.running(
                daemons.unprivileged(*command, dies_with="TERM"), site / "out", lambda: daemons.listens(ports[3])
            ):
                for server in servers:
                    ready(server)
                yield Institute(servers, f"https://127.0.0.1:{ports[3]}", f"http://127.0.0.1:{ports[2]}", folder, site)
        finally:
            for server in servers:
                stop(server)


def ready(server):
    with server.client() as client:
        server.wait_for(lambda: client.get("/readyz").status_code == 200)


def write_site(site, ports, openssl):
    """The example for nginx with this machine's ports and places, and a certificate that it signs itself."""
    text = (DEPLOY / "nginx.conf").read_text()
    assert "listen [::]:443" in text and re.search(r"server_name \S+;", text)[0] == f"server_name {NAME};"
    text = re.sub(r"\n *listen \[::\].*", "", text)
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{ports[2]};",
        "listen 443 ": f"listen 127.0.0.1:{ports[3]} ",
        "127.0.0.1:8231": f"127.0.0.1:{ports[0]}",
        "127.0.0.1:8232": f"127.0.0.1:{ports[1]}",
        "/etc/ssl/pacbed/": f"{site}/",
        "/var/log/nginx/": f"{site}/",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (site / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {site}/{kind};" for kind in kinds)
    main = f"daemon off; pid {site}/pid; error_log {site}/start.log; events {{}}"
    (site / "main.conf").write_text(f"{main} http {{ {temporary} include {site}/site.conf; }}")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"]
    command += ["-keyout", str(site / "key.pem"), "-out", str(site / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    for path in site.iterdir():
        path.chmod(0o644)


@pytest.fixture(scope="module")
def known(institute, pattern):
    """A look-up of alice, made through TLS."""
    token = institute.servers[0].new_token("alice")
    with institute.client(token) as client:
        answer = post(client, pattern, sheet="link")
        assert answer.status_code == 200, answer.text
        return token, answer.json()


def test_a_look_up_through_tls_is_everybodys_answer(institute, known, pattern):
    """Made by one server, it is in the store of both; asked again at either, it is not computed."""
    token, answer = known
    with institute.client(token) as client:
        whole = [client.get(f"{LOOKUPS}/{answer['id']}").json() for _ in range(4)]
        assert all(one["result"] == answer["result"] for one in whole)
        assert client.get(answer["links"]["sheet"]).content.startswith(b"\x89PNG")
        assert client.get("/inference").headers["strict-transport-security"]
    for server in institute.servers:
        with server.client(token) as client:
            assert post(client, pattern, sheet="link").json()["again"]


def test_the_token_of_the_start_is_one_and_holds_everywhere(institute):
    one, two = institute.servers
    assert one.token == two.token
    with institute.client(one.token) as client:
        assert {client.get(LOOKUPS).status_code for _ in range(6)} == {200}
    with institute.client("wrong") as client:
        assert {client.get(LOOKUPS).status_code for _ in range(4)} == {401}


def test_a_third_server_is_refused(institute):
    command = [sys.executable, "-m", "pacbed.cli", "serve", "--config", str(institute.folder / "service.yaml")]
    done = subprocess.run([*command, "--port", "0"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: servers: got 2, accepted: more than the 2 that run on")


def test_the_minute_is_counted_by_both_together(institute, pattern):
    token = institute.servers[1].new_token("hurried")
    with institute.client(token) as client:
        statuses = [post(client, pattern[:, : 110 + n], refine="false").status_code for n in range(8)]
        assert statuses == [200] * 6 + [429] * 2
        assert client.get("/api/v1/limits").json()["left"]["per_minute"] == 0
    upstreams = set(re.findall(r"127\.0\.0\.1:\d+", (institute.nginx / "pacbed.log").read_text()))
    assert len(upstreams) == 2  # nginx has handed requests to both


def test_one_at_once_is_one_on_both(institute, pattern):
    token, answers = institute.servers[0].new_token("impatient"), []
    one, two = (server.client(token) for server in institute.servers)
    with one, two, institute.servers[0].client() as watching:
        asking = Thread(target=lambda: answers.append(post(one, pattern + 1, sheet="link")))
        asking.start()
        institute.servers[0].wait_for(lambda: "pacbed_running 1.0" in watching.get("/metrics").text, 20)
        refused = post(two, pattern + 2)
        assert refused.status_code == 429 and "more than 1 look-ups at once" in refused.json()["detail"]
        assert two.get("/api/v1/limits").json()["left"]["at_once"] == 0
        asking.join(60)
        assert answers[0].status_code == 200
        assert post(two, pattern + 2, refine="false").status_code == 200


FORGED = ({"X-Forwarded-For": "9.9.9.9"}, {"Forwarded": "for=9.9.9.9"}, {"X-Real-IP": "9.9.9.9"})


@pytest.mark.parametrize("forged", [{}, *FORGED], ids=str)
def test_the_real_address_is_known_whatever_a_client_says(institute, forged):
    with institute.client("wrong", **forged) as client:
        assert institute.audit(client.get(LOOKUPS))["address"] == PERSON


def test_who_is_no_proxy_speaks_for_nobody(institute):
    """Straight to a server's port, past nginx."""
    headers = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https"}
    with httpx.Client(transport=httpx.HTTPTransport(local_address=PERSON), headers=headers) as client:
        answer = client.get(f"{institute.servers[0].url}/inference")
    assert institute.audit(answer)["address"] == PERSON
    assert answer.headers["location"].startswith("http://")


def test_the_deny_list_knows_people_behind_the_proxy(institute):
    with institute.client(address=DENIED, **FORGED[0]) as client:
        assert client.get(LOOKUPS).status_code == 403
    with institute.client(address=PERSON, **{"X-Forwarded-For": DENIED}) as client:
        assert client.get(LOOKUPS).status_code == 401


def test_behind_tls_cookies_and_links_are_for_tls_alone(institute, pattern):
    server = institute.servers[0]
    with institute.client() as client:
        signed_in = client.post("/sign-in", data={"token": server.token})
        assert signed_in.status_code == 303 and "Secure" in signed_in.headers["set-cookie"]
        client.headers["Authorization"] = f"Bearer {server.token}"
        identity = post(client, pattern, refine="false").json()["id"]
        assert f'value="https://{NAME}/lookups/{identity}?key=' in client.post(f"/lookups/{identity}/share").text
    past = httpx.HTTPTransport(local_address=PERSON)
    with httpx.Client(base_url=server.url, headers={"X-Forwarded-Proto": "https"}, transport=past) as client:
        assert "Secure" not in client.post("/sign-in", data={"token": server.token}).headers["set-cookie"]


def test_what_nginx_adds_and_keeps_out(institute, tiny_bundle):
    with institute.client(institute.servers[0].token) as client:
        moved = client.get("/inference", headers={"X-Forwarded-Proto": "http"})
        assert moved.headers["location"] == f"https://{NAME}/inference/"
        part = client.get(f"/api/v1/bundles/{tiny_bundle.sha256}/file", headers={"Range": "bytes=100-199"})
        assert part.status_code == 206 and part.content == tiny_bundle.path.read_bytes()[100:200]
        assert client.get("/metrics").status_code == 404
        assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400
    assert re.match(r"HTTP/1.1 413 .*application/problem\+json.*bin the pattern", announced(institute), re.DOTALL)
    plain = httpx.get(f"{institute.plain_url}/x", headers={"Host": NAME})
    assert plain.status_code == 301 and plain.headers["location"] == f"https://{NAME}/x"


def announced(institute):
    """Answer to the head of an upload that would be too large."""
    trust = ssl.create_default_context(cafile=institute.nginx / "certificate.pem")
    head = f"POST {LOOKUPS} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {80 * 2**20}\r\nConnection: close\r\n\r\n"
    plain = socket.create_connection(("127.0.0.1", int(institute.url.rpartition(":")[2])), timeout=20)
    with plain, trust.wrap_socket(plain, server_hostname=NAME) as connection:
        connection.sendall(head.encode())
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


def test_a_killed_server_costs_the_request_in_it_and_no_other(institute, known, pattern):
    """And the next start of it takes its seat again and clears what it left."""
    (killed, other), (token, answer) = institute.servers, known
    answers: list[httpx.Response] = []
    with killed.client() as direct:
        asking = Thread(target=ask_until_it_is_lost, args=(institute, direct, pattern, answers))
        asking.start()
        killed.wait_for(lambda: killed.scratch() != [], 30)
        workers = killed.workers()
        killed.process.kill()
        killed.process.wait()
        asking.join(60)
    assert isinstance(answers[0], httpx.TransportError)
    with institute.client(token) as client:
        statuses = {client.get(f"{LOOKUPS}/{answer['id']}").status_code for _ in range(8)}
        assert statuses == {200} and post(client, pattern, sheet="link").json()["again"]
    psutil.wait_procs(workers, timeout=60)
    assert not any(worker.is_running() for worker in workers)
    assert killed.scratch() != []
    again = launch(institute.folder, killed.home, "again", int(killed.url.rpartition(":")[2]))
    institute.servers[0] = again
    assert again.scratch() == [] and again.token == other.token
    ready(again)
    with again.client(token) as client:
        assert client.get(f"{LOOKUPS}/{answer['id']}").status_code == 200


def ask_until_it_is_lost(institute, client, pattern, answers):
    try:
        answers.append(post(client, pattern + 5, sheet="link"))
    except httpx.TransportError as error:
        answers.append(error)


def test_a_server_that_is_ended_finishes_what_runs_and_nobody_notices(institute, known, pattern):
    (token, answer), leaving = known, institute.servers[1]
    answers, statuses = [], []
    with leaving.client() as direct, institute.client(token) as client:
        asking = Thread(target=lambda: answers.append(post(direct, pattern + 6, sheet="link")))
        asking.start()
        leaving.wait_for(lambda: any(folder.name.startswith("2-") for folder in leaving.scratch()), 30)
        leaving.process.terminate()
        while leaving.process.poll() is None:
            statuses.append(client.get(f"{LOOKUPS}/{answer['id']}").status_code)
        asking.join(60)
    assert answers[0].status_code == 200 and set(statuses) == {200}
    with institute.client(leaving.token) as operator:
        assert operator.get(f"{LOOKUPS}/{answers[0].json()['id']}").json()["result"] == answers[0].json()["result"]


def test_no_log_holds_a_token(institute):
    token = institute.servers[0].token
    with institute.client() as client:
        client.get(f"{LOOKUPS}?token={token}")
        client.get(f"/lookups?token={token}", headers={"Referer": f"https://{NAME}/?token={token}"})
    time.sleep(0.2)
    logs = [*institute.nginx.glob("*log"), *institute.folder.glob("log*"), institute.servers[0].home / "audit.jsonl"]
    assert len(logs) > 5
    for log in logs:
        assert token not in log.read_text(), log


def test_where_all_servers_are_gone_people_are_told_to_ask_again(institute):
    """The last test: nobody answers after it."""
    for server in institute.servers:
        server.process.kill()
        server.process.wait()
    with institute.client(institute.servers[0].token) as client:
        answer = client.get(LOOKUPS)
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "2"
        assert answer.headers["content-type"] == "application/problem+json" and "ask again" in answer.json()["detail"]
