"""What every request goes through, before an application that tells what it was given."""

import base64
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from ui.cli import main
from ui.guard import LARGEST_BODY, Guard

HOST = "http://127.0.0.1"


async def telling(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    await JSONResponse({"headers": sorted(request.headers), "bytes": len(await request.body())})(scope, receive, send)


@pytest.fixture
def client() -> Callable[..., TestClient]:
    return lambda password="": TestClient(Guard(telling, password), base_url=HOST)


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
    for path in ("/", "/document?source=a.txt", "/upload", "/feedback"):
        got = client("open sesame é").get(path, headers=headers)
        assert got.status_code == (404 if path == "/upload" and status == 200 else status)
        assert sealed(got)
        assert ("www-authenticate" in got.headers) == (status == 401)


def test_doors_that_have_no_use_are_closed(client: Callable[..., TestClient]) -> None:
    for path in ("/gradio_api/upload", "/gradio_api/upload/", "/gradio_api/upload_progress", "/gradio_api/deep_link",
                 "/openapi.json", "/docs"):  # fmt: skip
        for method in ("GET", "POST"):
            got = client().request(method, path)
            assert (got.status_code, sealed(got)) == (404, True)


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
