"""What the page posts and fetches besides questions, through the guard, without a browser."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from index import Index
from index.errors import UsageError
from index.index import verify
from index.indexing import update
from index.library import Limits
from index.locking import writing
from rag import System
from rag.history import answered, keep, new_id
from ui.guard import Guard
from ui.libraries import Addresses, Libraries
from ui.working import add_routes

HERE = {"Sec-Fetch-Site": "same-origin"}
MB = 1 << 20


@pytest.fixture
def libraries(write: Callable[..., Path], make_embedder: Callable, tmp_path: Path) -> Libraries:
    folder = write({"lease.md": "# Lease\n\nThe lease ends on 31 March 2030.", "papers/old.txt": "Tea is hot."})
    system = System(Index.build([folder], tmp_path / "at", embedder=make_embedder(dimension=64)))
    return Libraries(system, Limits(file=2 * MB, total=3 * MB))


@pytest.fixture
def client(libraries: Libraries) -> Iterator[TestClient]:
    app = FastAPI()
    add_routes(app, libraries)
    app.add_middleware(Addresses, libraries=libraries)
    app.add_middleware(Guard)
    with TestClient(app, headers=HERE) as client:
        yield client
    libraries.close()


def handed(client: TestClient, name: str, content: bytes, at: str = "") -> tuple[int, str]:
    answer = client.put(f"{at}/add", params={"name": name}, content=content)
    return answer.status_code, answer.text


def indexed(client: TestClient, name: str = "") -> dict:
    at = f"/libraries/{name}" if name else ""
    assert client.post(f"{at}/indexing", json={}).status_code == 204
    return settled(client, at)


def settled(client: TestClient, at: str = "") -> dict:
    """What is said of the indexing when it is over."""
    deadline = time.monotonic() + 60
    while (now := client.get(f"{at}/indexing").json())["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return now


def test_a_file_is_handed_over_indexed_asked_replaced_and_removed(client: TestClient, libraries: Libraries) -> None:
    assert handed(client, "new/rent.txt", b"The rent is 900 euros.") == (204, "")
    assert handed(client, "photo.png", b"\x89PNG") == (400, "unknown format .png")
    assert handed(client, "broken.pdf", b"%PDF-1.7\nno more")[0] == 204
    done = indexed(client)
    assert (done["running"], done["error"], done["done"], done["files"]) == (False, "", 2, 2)
    assert [(row["name"], row["status"]) for row in done["rows"]] == [
        ("broken.pdf", "failed"),
        ("new/rent.txt", "added"),
    ]
    assert done["rows"][0]["reason"] == "damaged, or not a PDF file"
    listed = client.get("/documents").json()["documents"]
    assert [(one["source"], one["uploaded"]) for one in listed] == [
        ("lease.md", False), ("new/rent.txt", True), ("papers/old.txt", False),
    ]  # fmt: skip
    system = libraries.main.system
    assert system.answer("What is the rent?", 0, sources=["new/"]).citations[0].quote == "The rent is 900 euros."
    handed(client, "new/rent.txt", b"The rent is 950 euros.")
    assert [(row["name"], row["status"]) for row in indexed(client)["rows"]][1:] == [("new/rent.txt", "updated")]
    assert system.index.document("new/rent.txt").text == "The rent is 950 euros."
    assert client.post("/remove", json={"source": "new/rent.txt"}).status_code == 204
    assert not (system.index.folder / "library" / "new" / "rent.txt").exists()
    assert [source for source, *_ in system.index.sources()] == ["lease.md", "papers/old.txt"]
    answer = client.post("/remove", json={"source": "new/rent.txt"})
    assert (answer.status_code, answer.text.partition(" in the index")[0]) == (400, "no document 'new/rent.txt'")
    assert verify(system.index.folder) == []


def test_only_the_page_hands_over_and_changes(client: TestClient, libraries: Libraries) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "", "Origin": "null"}, {"Sec-Fetch-Site": ""}):
        assert client.put("/add", params={"name": "a.txt"}, content=b"Tea", headers=headers).status_code == 403
        for address in ("/indexing", "/following", "/remove", "/forget", "/libraries", "/delete"):
            assert client.post(address, json={"name": "x", "on": True}, headers=headers).status_code == 403
    posted = client.post("/remove", content=b'{"source": "lease.md"}', headers={"Content-Type": "text/plain"})
    assert posted.status_code == 415
    assert client.post("/remove", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert client.post("/remove", json=[]).status_code == 400
    assert client.post("/following", json={"on": "yes"}).text == "on must be true or false"
    assert client.get("/following").json()["on"] is False
    assert client.get("/add").status_code == 405
    assert client.put("/documents", content=b"x" * 300_000).status_code == 413
    assert libraries.names() == []
    assert "lease.md" in {one["source"] for one in client.get("/documents").json()["documents"]}


def test_a_file_has_its_own_limit_however_it_is_announced(client: TestClient, libraries: Libraries) -> None:
    def pieces(count: int) -> Iterator[bytes]:
        yield from (b"x" * MB for _ in range(count))

    assert client.put("/add", params={"name": "a.txt"}, content=pieces(2)).status_code == 204
    for content in (pieces(3), b"x" * 3 * MB):
        refused = client.put("/add", params={"name": "b.txt"}, content=content)
        assert (refused.status_code, refused.text) == (400, "larger than 2 MB: footnoted index reads it where it is")
    refused = client.put("/add", params={"name": "b.txt"}, content=pieces(2))
    assert (refused.status_code, refused.text) == (400, "the library would be larger than 3 MB: remove something")
    at = libraries.main.folder
    assert [path.name for path in (at / "library").iterdir()] == ["a.txt"]
    assert list((at / "incoming").iterdir()) == []


def test_a_library_has_documents_of_its_own_at_its_own_address(client: TestClient, libraries: Libraries) -> None:
    assert client.post("/libraries", json={"name": "Tea & x"}).status_code == 400
    assert client.post("/libraries", json={"name": "Tea und Reis"}).status_code == 204
    at = "/libraries/Tea und Reis"
    assert client.get("/libraries").json() == {"here": "", "names": ["Tea und Reis"]}
    assert client.get(f"{at}/libraries").json() == {"here": "Tea und Reis", "names": ["Tea und Reis"]}
    assert client.get(f"{at}/documents").json()["documents"] == []
    handed(client, "rice.txt", b"Rice is white.", at)
    assert [row["status"] for row in indexed(client, "Tea und Reis")["rows"]] == ["added"]
    assert [one["source"] for one in client.get(f"{at}/documents").json()["documents"]] == ["rice.txt"]
    assert "rice.txt" not in {one["source"] for one in client.get("/documents").json()["documents"]}
    taken = client.post("/libraries", json={"name": "Tea und Reis"})
    assert (taken.status_code, taken.text) == (400, "there is a library 'Tea und Reis' already")
    refused = client.post("/delete", json={"name": "Tea und Reis", "typed": "tea"})
    assert (refused.status_code, refused.text) == (400, "type its name, 'Tea und Reis', to delete it")
    assert client.post("/delete", json={"name": "Tea und Reis", "typed": "Tea und Reis"}).status_code == 204
    assert client.get(f"{at}/documents").status_code == 404
    assert not (libraries.main.folder / "libraries" / "Tea und Reis").exists()


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", ".hidden", "a\\b", "a\x00b", "x" * 61, " a", "a\n", "a<b"])
def test_a_library_has_a_name_that_is_one(client: TestClient, libraries: Libraries, name: str) -> None:
    before = sorted(libraries.main.folder.rglob("*"))
    assert client.post("/libraries", json={"name": name}).status_code == 400
    assert client.post("/delete", json={"name": name, "typed": name}).status_code == 400
    assert sorted(libraries.main.folder.rglob("*")) == before


@pytest.mark.parametrize("path", ["/libraries/nowhere/documents", "/libraries/../documents/x", "/libraries/%2e%2e/add"])
def test_an_address_of_no_library_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_questions_are_answered_while_documents_are_indexed(
    client: TestClient, libraries: Libraries, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()

    def slowly(*given: object, **options: object) -> object:
        begun.set()
        assert go_on.wait(60)
        return update(*given, **options)

    monkeypatch.setattr("ui.shelf.update", slowly)
    handed(client, "rent.txt", b"The rent is 900 euros.")
    client.post("/indexing", json={})
    assert begun.wait(60)
    assert client.get("/indexing").json()["running"]
    system = libraries.main.system
    assert system.answer("When does the lease end?", 0).citations[0].quote == "The lease ends on 31 March 2030."
    handed(client, "tea.txt", b"Tea is grown in Assam.")
    client.post("/indexing", json={})  # indexed after this one
    go_on.set()
    settled(client)
    assert {"rent.txt", "tea.txt"} < {source for source, *_ in system.index.sources()}


def test_what_cannot_be_indexed_now_is_said(
    client: TestClient, libraries: Libraries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object, **options: object) -> None:
        raise ValueError("out of tea")

    monkeypatch.setattr("ui.shelf.update", broken)
    assert indexed(client)["error"] == "indexing stopped: ValueError: out of tea"


def test_conversations_are_listed_exported_and_deleted(client: TestClient, libraries: Libraries) -> None:
    system, question = libraries.main.system, "When does the lease end?"
    name = new_id()
    keep(system.index.folder, name, answered(system.index, "1", question, system.answer(question, 0)))
    (listed,) = client.get("/conversations").json()
    assert (listed["id"], listed["title"], listed["turns"]) == (name, question, 1)
    exported = client.get("/export", params={"conversation": name, "format": "json"})
    assert exported.headers["content-disposition"] == f"attachment; filename=conversation-{name}.json"
    (turn,) = exported.json()["turns"]
    assert turn["citations"][0]["quote"] == "The lease ends on 31 March 2030."
    assert turn["citations"][0]["sha256"] == system.index.document("lease.md").sha256
    assert "[^1-1]: Lease · document lease.md" in client.get("/export", params={"conversation": name}).text
    for unknown in ("../lock", "20261124-000000-00000000", ""):
        assert client.get("/export", params={"conversation": unknown}).status_code == 404
        assert client.post("/forget", json={"conversation": unknown}).status_code == 400
    assert client.post("/forget", json={"conversation": name}).status_code == 204
    assert client.get("/conversations").json() == []
    keep(system.index.folder, name, answered(system.index, "1", question, system.answer(question, 0)))
    assert client.post("/forget", json={"all": True}).status_code == 204
    assert client.get("/conversations").json() == []


def test_a_file_of_rows_is_one_line_of_the_list(
    client: TestClient, libraries: Libraries, write_rows: Callable[..., Path]
) -> None:
    rows = [json.dumps({"_id": str(row), "text": f"Tea {row}."}) for row in range(3)]
    handed(client, "rows.jsonl", "\n".join(rows).encode())
    indexed(client)
    (found,) = [one for one in client.get("/documents").json()["documents"] if one["uploaded"]]
    assert found == {"source": "rows.jsonl", "title": "3 documents", "documents": 3, "uploaded": True}


def waited(for_: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not for_():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def switched(client: TestClient, on: bool, at: str = "") -> dict:
    """The switch set: what is said of it then."""
    answer = client.post(f"{at}/following", json={"on": on})
    assert (answer.status_code, answer.text) == (204, "")
    return client.get(f"{at}/following").json()


def sources(client: TestClient, at: str = "") -> set[str]:
    return {one["source"] for one in client.get(f"{at}/documents").json()["documents"]}


def test_the_folders_of_the_index_are_followed_while_the_switch_is_on(client: TestClient, libraries: Libraries) -> None:
    (folder,) = libraries.main.system.index.manifest.roots
    assert handed(client, "rent.txt", b"The rent is 900 euros.")[0] == 204
    indexed(client)
    off = client.get("/following").json()
    assert off == {"on": False, "folders": [folder], "why_not": "", "changes": 0, "lines": []}  # not the library's own
    assert switched(client, True)["on"] is True
    assert switched(client, True)["on"] is True  # pressed twice, or in two tabs
    Path(folder, "tea.txt").write_text("Tea is grown in Assam.")
    waited(lambda: client.get("/following").json()["changes"] == 1)
    Path(folder, "bad.pdf").write_bytes(b"%PDF")
    waited(lambda: client.get("/following").json()["changes"] == 2)
    assert sources(client) == {"lease.md", "papers/old.txt", "rent.txt", "tea.txt"}
    now = client.get("/following").json()
    assert [(one["status"], one["text"]) for one in now["lines"]] == [
        ("added", f"{Path(folder).name}/tea.txt"),
        ("failed", f"{Path(folder).name}/bad.pdf: damaged, or not a PDF file"),
    ]
    assert switched(client, False)["on"] is False
    Path(folder, "late.txt").write_text("Too late.")
    time.sleep(2)
    assert "late.txt" not in sources(client)
    assert switched(client, True)["changes"] == now["changes"]
    waited(lambda: "late.txt" in sources(client))  # what happened meanwhile is not lost
    libraries.close()
    assert client.get("/following").json()["on"] is False
    assert verify(libraries.main.folder) == []


def test_a_library_without_folders_says_why_it_follows_none(client: TestClient) -> None:
    client.post("/libraries", json={"name": "Tea"})
    why_not = "no folder is indexed where it stands: footnoted index FOLDER adds one to follow"
    state = {"on": False, "folders": [], "why_not": why_not, "changes": 0, "lines": []}
    assert client.get("/libraries/Tea/following").json() == state
    refused = client.post("/libraries/Tea/following", json={"on": True})
    assert (refused.status_code, refused.text) == (400, why_not)


def test_a_library_follows_folders_of_its_own_until_it_is_deleted(
    client: TestClient, libraries: Libraries, tmp_path: Path
) -> None:
    client.post("/libraries", json={"name": "Tea"})
    own = libraries.get("Tea")
    (tmp_path / "teas").mkdir()
    (tmp_path / "teas" / "assam.txt").write_text("Assam is strong.")
    update(own.folder, [tmp_path / "teas"], embedder=own.system.index.embedder)
    assert switched(client, True, "/libraries/Tea")["folders"] == [str(tmp_path / "teas")]
    assert client.get("/following").json()["on"] is False
    (tmp_path / "teas" / "darjeeling.txt").write_text("Darjeeling is light.")
    waited(lambda: "darjeeling.txt" in sources(client, "/libraries/Tea"))
    assert client.post("/delete", json={"name": "Tea", "typed": "Tea"}).status_code == 204
    assert own.following.state([])["on"] is False
    (tmp_path / "teas" / "green.txt").write_text("Green tea.")
    time.sleep(2)
    assert list((libraries.main.folder / "libraries").iterdir()) == []
    assert client.post("/libraries", json={"name": "Tea"}).status_code == 204
    assert sources(client, "/libraries/Tea") == set()


def test_who_uploads_or_removes_while_another_program_writes_waits(client: TestClient, libraries: Libraries) -> None:
    with ThreadPoolExecutor(1) as beside:
        with writing(libraries.main.folder):
            assert handed(client, "rent.txt", b"The rent is 900 euros.") == (204, "")
            assert client.post("/indexing", json={}).status_code == 204
            removed = beside.submit(client.post, "/remove", json={"source": "lease.md"})
            time.sleep(0.7)
            now = client.get("/indexing").json()
            assert (now["running"], now["error"], removed.done()) == (True, "", False)
        assert settled(client)["rows"] == [{"name": "rent.txt", "status": "added", "reason": ""}]
        assert removed.result(60).status_code == 204
    assert sources(client) == {"papers/old.txt", "rent.txt"}


def test_uploads_and_removals_are_done_between_what_the_watcher_writes(
    client: TestClient, libraries: Libraries
) -> None:
    (folder,) = libraries.main.system.index.manifest.roots
    switched(client, True)
    for turn in range(4):
        Path(folder, f"followed-{turn}.txt").write_text(f"Followed {turn}.")
        assert handed(client, f"handed-{turn}.txt", f"Handed {turn}.".encode())[0] == 204
        done = indexed(client)
        assert (done["error"], [row["status"] for row in done["rows"]]) == ("", ["added"])
        assert client.post("/remove", json={"source": f"handed-{turn}.txt"}).status_code == 204
        time.sleep(0.4)
    waited(lambda: {f"followed-{turn}.txt" for turn in range(4)} <= sources(client))
    assert not any(one.startswith("handed") for one in sources(client))
    lines = client.get("/following").json()["lines"]
    assert not any("being written" in one["text"] for one in lines)  # nobody of us was in the way
    assert verify(libraries.main.folder) == []


def test_a_library_is_not_deleted_while_documents_are_indexed_into_it(
    client: TestClient, libraries: Libraries, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()

    def slowly(*given: object, **options: object) -> object:
        begun.set()
        assert go_on.wait(60)
        return update(*given, **options)

    monkeypatch.setattr("ui.shelf.update", slowly)
    client.post("/libraries", json={"name": "Tea"})
    handed(client, "tea.txt", b"Tea is hot.", "/libraries/Tea")
    client.post("/libraries/Tea/indexing", json={})
    assert begun.wait(60)
    refused = client.post("/delete", json={"name": "Tea", "typed": "Tea"})
    assert (refused.status_code, refused.text) == (
        400, "documents are being indexed into it: try again when that is done",
    )  # fmt: skip
    go_on.set()
    assert [row["status"] for row in settled(client, "/libraries/Tea")["rows"]] == ["added"]
    shelf = libraries.get("Tea")
    receiving = shelf.library.receiving("late.txt", 4)
    receiving.__enter__().write(b"Late")
    assert client.post("/delete", json={"name": "Tea", "typed": "Tea"}).status_code == 204
    with pytest.raises(UsageError, match="the library was deleted meanwhile"):
        receiving.__exit__(None, None, None)
    with pytest.raises(UsageError, match="closed"):
        shelf.start()
    assert list((libraries.main.folder / "libraries").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "posted"),
    [("remove", '{"source": "\\ud800"}'), ("libraries", '{"name": "\\ud800"}'), ("forget", '{"conversation": NaN}'),
     ("delete", '{"name": "\\udfff", "typed": "\\udfff"}'), ("remove", "[" * 100_000), ("remove", '{"source": 1e999}')],
)  # fmt: skip
def test_what_is_no_text_is_refused(client: TestClient, path: str, posted: str) -> None:
    got = client.post(f"/{path}", content=posted, headers={"Content-Type": "application/json"})
    assert got.status_code == 400
    assert got.text in ("what is posted must be JSON", "source must be a text")
