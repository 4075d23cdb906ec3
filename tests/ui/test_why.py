"""Where a phrase was lost, as the page asks it over HTTP: what is told, and what is refused."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient

from index import Index
from rag import System
from rag.tracing import Trace
from ui.libraries import Libraries
from ui.server import application

HERE = {"Sec-Fetch-Site": "same-origin"}
ASKED = {"question": "When does the lease end?", "phrase": "31 March 2030"}
LEASE = "The lease ends on 31 March 2030. The rent is 900 euros."


@pytest.fixture(scope="module")
def system(make_embedder: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> System:
    folder = tmp_path_factory.mktemp("why")
    (folder / "lease.txt").write_text(LEASE)
    return System(Index.build([folder / "lease.txt"], folder / "at", embedder=make_embedder(dimension=64)))


@pytest.fixture(scope="module")
def client(system: System) -> Iterator[TestClient]:
    with TestClient(
        application(Libraries(system), threshold=0), base_url="http://127.0.0.1:7860", headers=HERE
    ) as client:
        yield client


def test_every_stage_of_a_phrase_is_told(client: TestClient) -> None:
    answer = client.post("/why", json=ASKED)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith('<p>Nothing was lost: the phrase is in the answer.</p><ol><li class="passed">')
    assert "in the text of lease.txt, characters 18 to 31" in answer.text
    assert answer.text.count('<span class="hidden">passed:</span>') == 7
    lost = client.post("/why", json=ASKED | {"phrase": "<b>1 April</b>"}).text
    assert "in the text of none of the 1 documents" in lost
    assert lost.count('<li class="unreached">') == 6
    assert "<b>1 April" not in lost


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403, "nothing is taken from other sites"),
        ({"Origin": "http://attacker.example"}, 403, "nothing is taken from other sites"),
        ({"Origin": "null"}, 403, "nothing is taken from other sites"),
        ({}, 403, "only the page itself may post this"),
        (HERE | {"Content-Type": "text/plain"}, 415, "what is posted must be JSON"),
        (HERE | {"Content-Type": "application/x-www-form-urlencoded"}, 415, "what is posted must be JSON"),
    ],
)
def test_only_the_page_itself_asks_and_in_json(
    client: TestClient, headers: dict[str, str], status: int, said: str
) -> None:
    anybody = TestClient(client.app, base_url="http://127.0.0.1:7860")
    answer = anybody.post("/why", content=json.dumps(ASKED), headers={"Content-Type": "application/json", **headers})
    assert (answer.status_code, answer.text) == (status, said)


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        (b"", "to see where a phrase was lost takes a question and a phrase"),
        (b"{", "to see where a phrase was lost takes a question and a phrase"),
        (b"[" * 100_000, "to see where a phrase was lost takes a question and a phrase"),
        (b"[]", "to see where a phrase was lost takes a question and a phrase"),
        (json.dumps({"question": "Who?"}).encode(), "to see where a phrase was lost takes a question and a phrase"),
        (json.dumps(ASKED | {"phrase": 7}).encode(), "to see where a phrase was lost takes a question and a phrase"),
        (json.dumps(ASKED | {"phrase": " "}).encode(), "the phrase is empty"),
        (json.dumps(ASKED | {"phrase": "x" * 1001}).encode(), "the phrase has 1,001 characters: give at most 1,000"),
        (json.dumps(ASKED | {"question": "  "}).encode(), "the question is empty"),
    ],
)
def test_what_is_no_phrase_is_refused_in_one_line(client: TestClient, posted: bytes, said: str) -> None:
    answer = client.post("/why", content=posted, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.text.startswith(said)
    assert "\n" not in answer.text


def test_two_are_looked_for_at_a_time_and_a_third_is_told_so(
    client: TestClient, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    go_on = Event()
    why = System.why

    def slowly(self: System, question: str, phrase: str, threshold: float | None = None) -> Trace:
        begun.append(phrase)
        assert go_on.wait(60)
        return why(self, question, phrase, threshold)

    monkeypatch.setattr(System, "why", slowly)
    with ThreadPoolExecutor(2) as people:
        asking = [people.submit(client.post, "/why", json=ASKED) for _ in range(2)]
        deadline = time.monotonic() + 60
        while len(begun) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        third = client.post("/why", json=ASKED)
        assert (third.status_code, third.text) == (503, "others are looking for theirs: try again in a moment")
        assert client.get("/document", params={"source": "lease.txt"}).status_code == 200
        go_on.set()
        assert [one.result().status_code for one in asking] == [200, 200]
    assert client.post("/why", json=ASKED).status_code == 200


def test_a_phrase_is_looked_for_in_the_library_of_the_address(client: TestClient) -> None:
    assert client.post("/libraries", json={"name": "Tea"}).status_code == 204
    assert (
        client.put("/libraries/Tea/add", params={"name": "tea.txt"}, content=b"Tea grows in Assam.").status_code == 204
    )
    assert client.post("/libraries/Tea/indexing", json={}).status_code == 204
    deadline = time.monotonic() + 60
    while client.get("/libraries/Tea/indexing").json()["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    tea = {"question": "Where does tea grow?", "phrase": "grows in Assam"}
    assert "in the text of tea.txt, characters 4 to 18" in client.post("/libraries/Tea/why", json=tea).text
    assert "in the text of none of the 1 documents" in client.post("/why", json=tea).text
    assert "in the text of none of the 1 documents" in client.post("/libraries/Tea/why", json=ASKED).text
    assert client.post("/libraries/Coffee/why", json=tea).status_code == 404
