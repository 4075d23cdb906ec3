"""What every request goes through, before an application that tells what it was given."""

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Receive, Scope, Send

from ui.cli import main
from ui.guard import LARGEST_BODY, Guard

HOST = "http://127.0.0.1"
FUNCTIONS = {
    0: SimpleNamespace(fn=lambda question: question, api_name="ask", inputs=[1]),
    3: SimpleNamespace(fn=lambda question, talk: question, api_name=False, inputs=[1, 2]),
    5: SimpleNamespace(fn=lambda question, sources=None: question, api_name="look", inputs=[1, 2]),
}


async def telling(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    await JSONResponse({"headers": sorted(request.headers), "bytes": len(await request.body())})(scope, receive, send)


@pytest.fixture
def client() -> Callable[..., TestClient]:
    return lambda password="": TestClient(Guard(telling, password, FUNCTIONS), base_url=HOST)


def sealed(response: Response) -> bool:
    headers = response.headers
    return "default-src 'self'" in headers["content-security-policy"] and headers["x-content-type-options"] == "nosniff"


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # no browser
        ({"Origin": HOST}, 200),
        ({"Origin": HOST, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": HOST, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://example.org"}, 403),
        ({"Origin": f"{HOST}:7999"}, 403),
    ],
)
def test_nothing_is_taken_from_other_sites(client: Callable[..., TestClient], headers: dict, status: int) -> None:
    asked = client().post("/gradio_api/call/ask", json={"data": ["Who?"]}, headers=headers)
    assert asked.status_code == status
    assert sealed(asked)
    assert client().get("/", headers=headers).status_code == 200  # a link from anywhere opens the page


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (basic("me:open sesame é"), 200),
        (basic(":open sesame é"), 200),
        (basic("me:open"), 401),
        (basic("open sesame é"), 401),
        ({"Authorization": "Basic open sesame"}, 401),
        ({"Authorization": "Bearer open sesame é".encode()}, 401),
        ({"Authorization": ""}, 401),
    ],
)
def test_with_a_password_nothing_is_answered_without_it(
    client: Callable[..., TestClient], headers: dict, status: int
) -> None:
    for path in ("/", "/document?source=a.txt", "/gradio_api/upload", "/feedback"):
        got = client("open sesame é").get(path, headers=headers)
        assert got.status_code == (404 if path == "/gradio_api/upload" and status == 200 else status)
        assert sealed(got)
        assert ("www-authenticate" in got.headers) == (status == 401)


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/upload", "/gradio_api/upload/", "/gradio_api/upload_progress", "/gradio_api/deep_link", "/docs",
     "/openapi.json", "/gradio_api//upload", "/gradio_api/file=/etc/passwd", "/gradio_api/proxy=http://example.org",
     "/gradio_api/stream/x/1/1/playlist.m3u8", "/gradio_api/component_server", "/gradio_api/run-history/buckets",
     "/gradio_api/process_recording", "/gradio_api/vibe-edit", "/libraries/docs/gradio_api/upload",
     "/libraries/a/docs", "/monitoring", "/monitoring/summary", "/login"],
)  # fmt: skip
def test_doors_that_have_no_use_are_closed(client: Callable[..., TestClient], path: str) -> None:
    for method in ("GET", "POST"):
        got = client().request(method, path)
        assert (got.status_code, got.text, sealed(got)) == (404, "not here", True)


def test_a_library_may_be_called_as_a_door_is(client: Callable[..., TestClient]) -> None:
    for name in ("docs", "login", "upload", "gradio_api"):
        for path in ("", "/", "/config", "/gradio_api/info"):
            assert client().get(f"/libraries/{name}{path}").status_code == 200


ASKING = {"data": ["Who?"]}


@pytest.mark.parametrize(
    ("path", "posted", "status"),
    [
        ("queue/join", {"data": ["x", None], "fn_index": 3, "session_hash": "x"}, 200),
        ("queue/join", {"data": ["x", None], "fn_index": "3", "session_hash": "x"}, 200),
        ("queue/join", {"data": ["x"], "fn_index": 3, "session_hash": "x"}, 422),
        ("queue/join", {"data": None, "fn_index": 3, "session_hash": "x"}, 422),
        ("queue/join", {"data": [], "fn_index": 4, "session_hash": "x"}, 404),
        ("queue/join", {"data": [], "fn_index": -1, "session_hash": "x"}, 404),
        ("queue/join", {"data": [], "fn_index": 10**30, "session_hash": "x"}, 404),
        ("queue/join", {"data": [], "fn_index": [3], "session_hash": "x"}, 404),
        ("queue/join/", {"data": [], "fn_index": 4, "session_hash": "x"}, 404),
        ("call/ask", ASKING, 200),
        ("call/ask", {"data": ["Who?"], "fn_index": 99}, 200),  # Gradio goes by the name there
        ("call/ask", {"data": []}, 422),
        ("call/look", ASKING, 200),
        ("call/other", ASKING, 404),
        ("call/v2/ask", {"question": "Who?"}, 404),
        ("run/ask", ASKING, 200),
        ("run/predict", ASKING, 404),
        ("api/ask", {"data": [], "fn_index": 0}, 422),
        ("reset", {"event_id": "x"}, 200),
        ("reset", float("nan"), 400),
        ("queue/join", {"data": ["\ud800"], "fn_index": 0}, 400),
        ("queue/join", [], 400),
    ],
)
def test_what_is_for_no_function_of_the_page_is_refused(
    client: Callable[..., TestClient], path: str, posted: object, status: int
) -> None:
    for at in ("", "/libraries/a"):
        got = client().post(f"{at}/gradio_api/{path}", content=json.dumps(posted))
        assert (got.status_code, sealed(got)) == (status, True)


def test_what_is_no_json_is_refused_at_the_doors_of_gradio(client: Callable[..., TestClient]) -> None:
    for body in (b"[" * 100_000, b"", b"\xff", b"9" * 5000):
        assert client().post("/gradio_api/queue/join", content=body).status_code == 400
        assert client().post("/why", content=body).status_code == 200  # what is ours says so itself


def test_an_error_within_carries_the_policy_and_says_nothing_of_itself() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("the secret of /root")

    got = TestClient(Guard(failing), base_url=HOST, raise_server_exceptions=False).get("/document")
    assert (got.status_code, got.text, sealed(got)) == (500, "something went wrong here", True)


def test_a_web_socket_is_closed_before_anything_hears_of_it(client: Callable[..., TestClient]) -> None:
    with pytest.raises(WebSocketDenialResponse) as caught, client("open sesame").websocket_connect("/"):
        pass
    assert (caught.value.status_code, sealed(caught.value)) == (404, True)


def test_a_forwarded_host_is_not_passed_on(client: Callable[..., TestClient]) -> None:
    got = client().get("/config", headers={"X-Forwarded-Host": "attacker.example", "X-Forwarded-Proto": "https"})
    assert "x-forwarded-host" not in got.json()["headers"]
    assert "x-forwarded-proto" in got.json()["headers"]


def test_a_body_of_the_largest_size_passes_and_one_more_byte_does_not(client: Callable[..., TestClient]) -> None:
    for chunked in (False, True):
        for size, status in ((LARGEST_BODY, 200), (LARGEST_BODY + 1, 413)):
            content = b"x" * size
            got = client().post("/x", content=iter([content[:9], content[9:]]) if chunked else content)
            assert (got.status_code, sealed(got)) == (status, True)
            if status == 200:
                assert got.json()["bytes"] == size


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_this_machine_there_is_no_page_without_a_password(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FOOTNOTED_PASSWORD", raising=False)
    assert main(["chat", "--host", host]) == 2
    said = f"whoever reaches {host} could read these documents: set FOOTNOTED_PASSWORD, or leave out --host"
    assert capsys.readouterr().err == f"footnoted: {said}\n"
