#!/usr/bin/env python3
"""Runs the image's own file system as a strict platform would, and sees a message arrive.

    tests/image/run.py ROOT

ROOT is the file system of the image's last stage. It is mounted read-only, entered as the image's
user without a capability, in a network of its own that has nothing but loopback. There a DNS
server knows one name, and behind that name a TLS port, whose certificate a private CA has signed,
leads to the sandbox, which runs from the same image. Needs root, to make mounts and the network.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

USER = 65532
BINARY = "/alertmanager-webex"
# What `CMD` and `ENV` of the Dockerfile say is compared by tests/image/test.
CONFIG = "/etc/alertmanager-webex/config.toml"
NAME = "webex.test"
PATIENCE = 60
# Everything that is in the image. A shell would be one more.
FILES = {
    "alertmanager-webex",
    "etc/alertmanager-webex/config.toml",
    "etc/nsswitch.conf",
    "etc/ssl/certs/ca-certificates.crt",
}


def sees(what, look):
    """Looks again and again until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE} s")


def call(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Root:
    """The image's file system, with what an engine puts into each container, and read-only."""

    def __init__(self, image, folder):
        self.path = folder / "root"
        shutil.copytree(image, self.path, symlinks=True)
        # An engine makes the places of its mounts.
        for place in ["dev", "proc", "run/secrets/webex"]:
            (self.path / place).mkdir(parents=True)
        (self.path / "etc/hosts").write_text("127.0.0.1 localhost\n")
        (self.path / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        call("mount", "--bind", self.path, self.path)
        # The devices that the OCI runtime specification promises, as far as anybody reads them.
        call("mount", "-t", "tmpfs", "-o", "nosuid,noexec", "tmpfs", self.path / "dev")
        for device in ["null", "random", "urandom"]:
            (self.path / "dev" / device).touch()
            call("mount", "--bind", f"/dev/{device}", self.path / "dev" / device)

    def mount(self, source, target):
        call("mount", "--bind", source, f"{self.path}{target}")
        call("mount", "-o", "remount,bind,ro,nosuid,nodev,noexec", f"{self.path}{target}")

    def seal(self):
        call("mount", "-t", "proc", "proc", self.path / "proc")
        call("mount", "-o", "remount,bind,ro,nosuid,nodev", self.path)

    def close(self):
        call("umount", "--recursive", self.path)

    def command(self, *arguments):
        enter = ["setpriv", "--no-new-privs", "chroot", f"--userspec={USER}:{USER}", str(self.path)]
        return [*enter, BINARY, *arguments]

    def run(self, *arguments):
        environment = {"PATH": os.environ["PATH"], "ALERTMANAGER_WEBEX_CONFIG": CONFIG}
        return subprocess.run(
            self.command(*arguments), env=environment, capture_output=True, text=True, timeout=PATIENCE
        )

    @contextlib.contextmanager
    def start(self, *arguments):
        environment = {"PATH": os.environ["PATH"], "ALERTMANAGER_WEBEX_CONFIG": CONFIG}
        process = subprocess.Popen(self.command(*arguments), env=environment)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


class Names(socketserver.BaseRequestHandler):
    """A DNS server that knows one name, and one address of it."""

    def handle(self):
        query, sock = self.request
        end = query.index(b"\0", 12)
        labels, position = [], 12
        while query[position]:
            length = query[position]
            labels.append(query[position + 1 : position + 1 + length].decode())
            position += length + 1
        kind = struct.unpack("!H", query[end + 1 : end + 3])[0]
        known = ".".join(labels).lower() == NAME
        question = query[12 : end + 5]
        is_address = known and kind == 1
        flags = 0x8180 if known else 0x8183
        head = query[:2] + struct.pack("!HHHHH", flags, 1, int(is_address), 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + socket.inet_aton("127.0.0.1")
        sock.sendto(head + question + (record if is_address else b""), self.client_address)


def pipe(source, target):
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def tls_before(port, certificate, key):
    """A TLS port that leads to another port of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Forward(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                secured = context.wrap_socket(self.request, server_side=True)
            except OSError:  # Who does not know the CA hangs up.
                return
            with secured, socket.create_connection(("127.0.0.1", port)) as plain:
                back = threading.Thread(target=pipe, args=(plain, secured), daemon=True)
                back.start()
                pipe(secured, plain)
                back.join()

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 8443), Forward)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


def authority(folder):
    """A private CA, and a certificate of it for each name."""
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(
        [*openssl, "-keyout", folder / "ca.key", "-out", folder / "ca.crt", "-subj", "/CN=private CA"],
        check=True, capture_output=True,
    )
    for file, name in [("webex", NAME), ("service", "service.test")]:
        subprocess.run(
            [*openssl, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-keyout", folder / f"{file}.key",
             "-out", folder / f"{file}.crt", "-subj", "/", "-addext", f"subjectAltName=DNS:{name}",
             "-addext", "basicConstraints=critical,CA:FALSE"],
            check=True, capture_output=True,
        )


def ask(port, method, path, body=None, context=None):
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    more = {"context": context} if context else {}
    connection = kind("127.0.0.1", port, timeout=PATIENCE, **more)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def only_what_is_meant(image):
    found = set()
    for path in image.rglob("*"):
        assert not path.is_symlink(), f"{path} is a link"
        if path.is_file():
            found.add(str(path.relative_to(image)))
            mode = path.stat().st_mode
            assert path.stat().st_uid != USER and not mode & 0o6022, f"{path} has the mode {mode:o}"
            assert bool(mode & 0o111) == (path.name == BINARY[1:]), f"{path} has the mode {mode:o}"
    assert found == FILES, f"the image holds {sorted(found ^ FILES)} more or less than it should"


def as_a_stranger(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in status)
    assert status["Uid"].split() == [str(USER)] * 4, status["Uid"]
    assert int(status["CapEff"], 16) == 0, status["CapEff"]
    assert status["NoNewPrivs"] == "1", status["NoNewPrivs"]
    mounts = pathlib.Path(f"/proc/{process.pid}/mounts").read_text().splitlines()
    root = [line.split() for line in mounts if line.split()[1] == "/"][-1]
    assert "ro" in root[3].split(","), root


def main(image):
    only_what_is_meant(image)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        authority(folder)
        threading.Thread(
            target=socketserver.ThreadingUDPServer(("127.0.0.1", 53), Names).serve_forever, daemon=True
        ).start()
        tls_before(9095, folder / "webex.crt", folder / "webex.key")

        secrets = folder / "secrets"
        secrets.mkdir()
        for name in ["ca.crt", "service.crt", "service.key"]:
            shutil.copy(folder / name, secrets / name)
            (secrets / name).chmod(0o644)
        (secrets / "token").write_text("sandbox\n")
        config = folder / "config.toml"
        text = f"""
            [webex]
            base_url = "https://{NAME}:8443/v1"
            ca_file = "/run/secrets/webex/ca.crt"
            [bots.default]
            token_file = "/run/secrets/webex/token"
            [rooms]
            ops = {{ id_file = "/run/secrets/webex/room" }}
            [receivers.default]
            rooms = ["ops"]
            [server]
            shutdown_delay = "0s"
            [server.tls]
            cert_file = "/run/secrets/webex/service.crt"
            key_file = "/run/secrets/webex/service.key"
        """
        config.write_text(text)
        root = Root(image, folder)
        root.mount(secrets, "/run/secrets/webex")
        root.mount(config, CONFIG)
        root.seal()

        with contextlib.closing(root), root.start("sandbox") as sandbox:
            rooms = sees("the sandbox's rooms", lambda: listed())
            (secrets / "room").write_text(rooms["ops"])
            as_a_stranger(sandbox)

            # The way to Webex: the name, the private CA, the token, the room.
            checked = root.run("check", "--online")
            assert checked.returncode == 0, checked
            config.write_text(text.replace("ca_file = ", "# ca_file = "))
            checked = root.run("check", "--online")
            told = checked.stdout + checked.stderr
            assert checked.returncode == 1 and "UnknownIssuer" in told, checked
            config.write_text(text)

            asked = root.run("healthcheck")
            assert asked.returncode == 1 and "nothing answers" in asked.stderr, asked
            with root.start("serve") as service:
                sees("`healthcheck` says that it is ready", lambda: root.run("healthcheck").returncode == 0)
                as_a_stranger(service)
                context = ssl.create_default_context(cafile=folder / "ca.crt")
                context.check_hostname = False
                body = pathlib.Path("examples/notification.json").read_text()
                status, answer = ask(9091, "POST", "/alertmanager", body, context)
                assert (status, json.loads(answer)["reason"]) == (200, "delivered"), (status, answer)
                status, messages = ask(9095, "GET", "/control/v1/rooms/ops/messages")
                assert len(json.loads(messages)) == 1, messages
                service.terminate()
                assert service.wait(PATIENCE) == 0, "SIGTERM ends it as done"
    print("ok: read-only, without rights, posts over TLS to a name of a private CA")


def listed():
    with contextlib.suppress(OSError):
        _, rooms = ask(9095, "GET", "/control/v1/rooms")
        return {room["title"]: room["id"] for room in json.loads(rooms)}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tests/image/run.py ROOT")
    if "IN_A_WORLD_OF_ITS_OWN" not in os.environ:
        # Mounts and network that are gone when this ends, however it ends.
        os.environ["IN_A_WORLD_OF_ITS_OWN"] = "yes"
        up = 'ip link set lo up && exec "$@"'
        os.execvp("unshare", ["unshare", "--mount", "--net", "sh", "-c", up, "sh", sys.executable, *sys.argv])
    main(pathlib.Path(sys.argv[1]).resolve())
