"""R25: requests that a chat must not be talked into anything by, and what every response has to carry.

    python -m benchmarks.reliability.probes

Sent byte by byte over a socket to a running `footnoted chat`, so that no client tidies them. A secret lies beside the
index, and one in the clear at a known place of the machine: neither may come back, nothing may be fetched or kept for
the sender, and every response that the application gives carries the policy and nosniff.
"""

import json
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks.reliability.faults import ENVIRONMENT, Bar, measured
from benchmarks.reliability.hostile import chat, free_port
from index import Index

SECRET = "the-secret-of-the-neighbour-7319"
# How an answer shows that a file of the machine was read, or a request was passed on.
LEAKS = (SECRET, "root:x:", "root:*:", "ami-id", "instance-id", "computeMetadata", "Traceback", 'File "/')
METADATA = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True)
class Probe:
    """A request, and the statuses that are an answer to it."""

    name: str
    path: str
    statuses: tuple[int, ...] = (400, 403, 404, 405, 422)
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def probes(secret: Path, address: str) -> list[Probe]:
    own = ("Origin", address)
    another = ("Origin", "http://example.org")
    overridden = ("X-HTTP-Method-Override", "PUT")
    across = ("Sec-Fetch-Site", "cross-site")
    kind = ("Content-Type", "application/json")
    absolute = quote(str(secret), safe="")
    form = ("Content-Type", "multipart/form-data; boundary=x")
    upload = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.html"\r\n\r\n<script>\r\n--x--\r\n'
    rating = b'{"question": "x", "good": true, "reason": "", "cited": []}'
    join = json.dumps({"data": [], "fn_index": 0, "session_hash": "../../etc"}).encode()
    asking = b'{"data": ["Who?"]}'
    socketed = (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="))  # fmt: skip
    file = "/gradio_api/file="
    return [
        Probe("document: traversal", "/document?source=../secret.txt"),
        Probe("document: absolute", f"/document?source={absolute}"),
        Probe("document: encoded traversal", "/document?source=%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
        Probe("document: doubly encoded", "/document?source=%252e%252e%252fetc%252fpasswd"),
        Probe("document: NUL", "/document?source=a.txt%00../../etc/passwd"),
        Probe("document: numbers that are none", "/document?source=a.txt&start=-1&end=%F0%9D%9F%99"),
        Probe("file=: absolute", f"{file}/etc/passwd"),
        Probe("file=: the neighbour's", f"{file}{secret}"),
        Probe("file=: encoded", f"{file}%2Fetc%2Fpasswd"),
        Probe("file=: doubly encoded", f"{file}%252Fetc%252Fpasswd"),
        Probe("file=: traversal", f"{file}../../../../etc/passwd"),
        Probe("file=: backslashes", f"{file}..%5C..%5Cetc%5Cpasswd"),
        Probe("file=: overlong UTF-8", f"{file}%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd"),
        Probe("file=: file address", f"{file}file:///etc/passwd"),
        Probe("file=: another host", f"{file}http://example.org/x.png"),
        Probe("file/: old address", f"/gradio_api/file/{secret}"),
        Probe("proxy=: metadata", f"/gradio_api/proxy={METADATA}"),
        Probe("proxy: metadata", f"/proxy={METADATA}"),
        Probe("static: traversal", "/static/..%2f..%2f..%2f..%2fetc/passwd"),
        Probe("assets: traversal", "/assets/../../../../../../etc/passwd"),
        Probe("svelte: traversal", "/svelte/..%2f..%2f..%2fpackage.json"),
        Probe("stream of another", "/gradio_api/stream/x/x/x/playlist.m3u8"),
        Probe("upload", "/gradio_api/upload", method="POST", headers=(form,), body=upload),
        Probe("upload: with a slash", "/gradio_api/upload/", (307, 404, 405), "POST", (form,), upload),
        Probe("upload: doubled slash", "/gradio_api//upload", method="POST", headers=(form,), body=upload),
        Probe("upload progress", "/gradio_api/upload_progress?upload_id=x"),
        Probe("monitoring", "/monitoring"),
        Probe("monitoring: summary", "/monitoring/summary"),
        Probe("monitoring: a key", "/monitoring/x"),
        Probe("openapi", "/openapi.json"),
        Probe("deep link", "/gradio_api/deep_link?session_hash=x"),
        Probe("feedback: cross-site", "/feedback", (403,), "POST", (own, across, kind), rating),
        Probe("feedback: null Origin", "/feedback", (403,), "POST", (("Origin", "null"), kind), rating),
        Probe("feedback: another Origin", "/feedback", (403,), "POST", (another, kind), rating),
        Probe("ask: cross-site", "/gradio_api/call/ask", (403,), "POST",
              (another, across, kind), b'{"data": ["Who?"]}'),
        Probe("queue: null Origin", "/gradio_api/queue/join", (403,), "POST", (("Origin", "null"), kind), join),
        Probe("queue: forged function", "/gradio_api/queue/join", (404,), "POST", (own, kind),
              b'{"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}], "fn_index": 99999,'
              b' "session_hash": "x"}'),
        Probe("queue: forged file", "/gradio_api/call/ask", (200,), "POST", (own, kind),
              b'{"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}], "session_hash": "x"}'),
        Probe("queue: data of another", "/gradio_api/queue/data?session_hash=../../x", (200, 404)),
        Probe("private function by name", "/gradio_api/call/converse", (200, 403, 404, 422), "POST", (own, kind),
              b'{"data": ["x", [], [], []]}'),
        Probe("component server", "/gradio_api/component_server", (400, 403, 404, 422), "POST", (own, kind),
              b'{"session_hash": "x", "component_id": 1, "fn_name": "ls", "data": ["/"]}'),
        Probe("Host: another name", "/", (400,), headers=(("Host", "attacker.example"),)),
        Probe("Host: rebound", "/document?source=a.txt", (400,), headers=(("Host", "127.0.0.1.attacker.example"),)),
        Probe("Host: user info", "/", (400,), headers=(("Host", "127.0.0.1@attacker.example"),)),
        Probe("Host: forwarded", "/config", (200,), headers=(("X-Forwarded-Host", "attacker.example"),)),
        Probe("headers of 200 kB", "/", (400, 431), headers=(("X-Long", "x" * 200_000),)),
        Probe("method: TRACE", "/", (403, 404, 405), "TRACE", (("Cookie", SECRET),)),
        Probe("method: PUT", "/document?source=a.txt", (403, 404, 405), "PUT", body=b"x"),
        Probe("method: overridden", "/document?source=../secret.txt", (404,), headers=(overridden,)),
        Probe("method: none of HTTP's", "/", (400, 403, 404, 405), "GIMME"),
        Probe("address of another host", f"{METADATA}", (400, 403, 404)),
        Probe("path: dots", "/../../../../etc/passwd"),
        Probe("path: encoded dots", "/%2e%2e/%2e%2e/etc/passwd"),
        Probe("document: forged library", "/libraries/%2e%2e/document?source=a.txt"),
        Probe("library: dots", "/libraries/../../../../etc/passwd"),
        Probe("library: encoded dots", "/libraries/%2e%2e/"),
        Probe("library: encoded slash", "/libraries/..%2f..%2f/"),
        Probe("library: NUL", "/libraries/%00/"),
        Probe("library: none", "/libraries//"),
        Probe("library: line end", "/libraries/a%0d%0aSet-Cookie:%20x=1/"),
        Probe("library: no UTF-8", "/libraries/%ff%fe/config"),
        Probe("library: upload within", "/libraries/docs/gradio_api/upload", method="POST", headers=(form,),
              body=upload),
        Probe("export: traversal", "/export?conversation=../CURRENT"),
        Probe("export: encoded traversal", "/export?conversation=..%2f..%2fsecret.txt&format=json"),
        Probe("export: line end", "/export?conversation=20260101-000000-00000000%0d%0aX:%20y"),
        Probe("export: none of that name", "/export?conversation=20260101-000000-00000000"),
        Probe("conversations: forged name", "/conversations?conversation=../secret", (200,)),
        Probe("documents: forged name", "/documents?source=../secret.txt", (200,)),
        Probe("run history: buckets", "/gradio_api/run-history/buckets", headers=(("Authorization", "Bearer hf_x"),)),
        Probe("run history: connect", "/gradio_api/run-history/connect", method="POST", headers=(own, kind),
              body=b'{"bucket_id": "a/b"}'),
        Probe("runs", "/gradio_api/runs"),
        Probe("recording", "/gradio_api/process_recording", method="POST", headers=(form,), body=upload),
        Probe("vibe", "/gradio_api/vibe-edit", method="POST", headers=(own, kind), body=b'{"prompt": "x"}'),
        Probe("custom component", "/gradio_api/custom_component/x/client/component/..%2f..%2fx"),
        Probe("info", "/gradio_api/info", (200,)),
        Probe("heartbeat: forged", "/gradio_api/heartbeat/..%2f..%2fx"),
        Probe("call: result of another", "/gradio_api/call/ask/../../x"),
        Probe("call: function that is none", "/gradio_api/call/system", (404,), "POST", (own, kind), asking),
        Probe("call: no values", "/gradio_api/call/ask", (422,), "POST", (own, kind), b'{"data": []}'),
        Probe("queue: NaN", "/gradio_api/queue/join", (400,), "POST", (own, kind),
              b'{"data": [], "fn_index": NaN, "session_hash": "x"}'),
        Probe("queue: half a surrogate pair", "/gradio_api/queue/join", (400,), "POST", (own, kind),
              b'{"data": ["\\ud800"], "fn_index": 0, "session_hash": "x"}'),
        Probe("queue: nested deep", "/gradio_api/queue/join", (400,), "POST", (own, kind), b"[" * 100_000),
        Probe("web socket", "/gradio_api/queue/join", (400, 403, 404, 405, 426), headers=socketed),
        Probe("Host: metadata", "/", (400,), headers=(("Host", "169.254.169.254"),)),
        Probe("Host: metadata by name", "/", (400,), headers=(("Host", "metadata.google.internal"),)),
        Probe("Host: zeros", "/", (400,), headers=(("Host", "0.0.0.0"),)),
        Probe("headers: many", "/", (200, 400, 431), headers=tuple((f"X-{n}", "x" * 100) for n in range(400))),
        *(Probe(f"{door}: {name}", f"/{door}", (403,), method, (*headers, kind), b"{}")
          for method, door in (("PUT", "add?name=a.txt"), ("POST", "forget"), ("POST", "delete"), ("POST", "remove"),
                               ("POST", "libraries"), ("POST", "indexing"), ("POST", "why"))
          for name, headers in (("cross-site", (own, across)), ("null Origin", (("Origin", "null"),)),
                                ("another Origin", (another,)), ("no Origin", ()))),
        *(Probe(f"add: {name}", f"/add?name={name}", (400,), "PUT", (own,), b"x")
          for name in ("../a.txt", "..%2f..%2fa.txt", "/etc/a.txt", "a/../../a.txt", "..%5Ca.txt", "C:%5Ca.txt",
                       "%00.txt", "a%0a.txt", ".bashrc", "a/.git/config", "%E2%80%AEtxt.exe", "", "a" * 300)),
        *(Probe(f"{door}: {body[:30]!r}", f"/{door}", (400,), "POST", (own, kind), body)
          for door, body in (("forget", b'{"conversation": "../../CURRENT"}'),
                             ("remove", b'{"source": "../secret.txt"}'),
                             ("remove", b'{"source": "\\ud800"}'), ("libraries", b'{"name": "../x"}'),
                             ("libraries", b'{"name": ".."}'), ("delete", b'{"name": "..", "typed": ".."}'),
                             ("delete", b'{"name": "../docs", "typed": "../docs"}'))),
    ]  # fmt: skip


def sent(address: str, probe: Probe) -> tuple[int, dict[str, str], str]:
    """Status, headers by lower-cased name, and as much of the body as comes within a second or two."""
    host, port = address.removeprefix("http://").split(":")
    headers = {"Host": f"{host}:{port}", "Connection": "close", **dict(probe.headers)}
    if probe.body or probe.method in ("POST", "PUT"):
        headers["Content-Length"] = str(len(probe.body))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    received = b""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            connection.sendall(f"{probe.method} {probe.path} HTTP/1.1\r\n{head}\r\n".encode() + probe.body)
            connection.settimeout(2)
            while len(received) < 4_000_000 and (part := connection.recv(65_536)):
                received += part
        except OSError:
            pass  # a stream that stays open, or a connection that was refused in the midst of it
    first, _, body = received.partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1]) if len(lines[0].split()) > 1 else 0
    named = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return status, named, body.decode("utf-8", "replace")


def probed(folder: Path, bar: Bar) -> None:
    docs, at, secret = folder / "docs", folder / "at", folder / "secret.txt"
    docs.mkdir()
    (docs / "a.txt").write_text("The gate is green.\n")
    secret.write_text(SECRET)
    Index.build([docs], at)
    leaks = odd = bare = unlike = 0
    with chat(at) as address:
        before = {path.name for path in at.iterdir()}
        every = probes(secret, address)
        for probe in every:
            status, headers, body = sent(address, probe)
            said = f"{probe.name}: {status} {body[:120]!r}"
            shown = [leak for leak in LEAKS if leak in body or leak in str(headers)]
            ours = "attacker.example" in body or "attacker.example" in str(headers)
            policy = "default-src 'self'" in headers.get("content-security-policy", "")
            plain = headers.get("x-content-type-options") == "nosniff"
            # What is no HTTP at all is answered by the server before the application sees it.
            before_us = status in (400, 431) and body.startswith("Invalid HTTP request")
            leaks += bool(shown)
            odd += ours
            bare += not (before_us or (policy and plain))
            unlike += status not in probe.statuses
            if shown or ours or not (before_us or (policy and plain)) or status not in probe.statuses:
                print(said, shown, "policy" if policy else "no policy", flush=True)
        kept = {path.name for path in at.iterdir()} - before
        config = json.loads(sent(address, Probe("config", "/config"))[2] or "{}")
        inside = json.dumps(config)
        leaks += str(at) in inside or str(folder) in inside
    bar.note("probes", len(every))
    bar.check("leaks", leaks, 0)
    bar.check("answers that take up a forged host", odd, 0)
    bar.check("responses without policy or nosniff", bare, 0)
    bar.check("statuses that were not foreseen", unlike, 0)
    bar.check("files kept for the sender", len(kept), 0)


def bound(folder: Path, bar: Bar) -> None:
    """Beyond loopback the chat has no log-in: it is refused, in a line, unless a person insists."""
    said = []
    for host in ("0.0.0.0", "::"):
        command = [sys.executable, "-P", "-m", "ui.cli", "chat", "--index", str(folder / "at"), "--host", host]
        done = subprocess.run(
            [*command, "--port", str(free_port())], capture_output=True, text=True, env=ENVIRONMENT, timeout=60
        )
        said.append((done.returncode, done.stderr.count("\n")))
        bar.note(f"--host {host} says", done.stderr.strip())
    bar.check("binds beyond loopback without authentication", sum(one != (2, 1) for one in said), 0)


def main() -> None:
    with measured("probes", 1, __doc__) as (_, folder, bar):
        probed(folder, bar)
        bound(folder, bar)


if __name__ == "__main__":
    main()
