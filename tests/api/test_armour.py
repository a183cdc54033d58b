"""What every answer carries, and what no request gets away with."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.main import BODY_LIMIT, ApiDeps, create_app
from tests.api.acts import REPORTS
from tests.builders.reading import add_ready_study, quick_passwords

PROBLEM = {"type", "title", "status", "detail", "instance"}


def test_every_answer_refuses_foreign_code_frames_and_caches(house):
    reader = house.reader()
    for path in ("/", "/livez", "/api/v1/worklist", "/api/v1/nothing", "/api/v1/openapi.json", "/metrics"):
        headers = reader.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing.js", 404),
        ("GET", "/../etc/passwd", 404),
        ("PATCH", "/api/v1/worklist", 405),
        ("POST", "/livez", 405),
        ("GET", "/api/v1/worklist", 401),
        ("GET", "/api/v1/auth/login", 405),
    ],
)
def test_every_refusal_is_a_problem_document(house, method, path, status):
    answer = house.visitor().request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() >= PROBLEM
    assert body["status"] == status
    assert body["instance"].startswith("urn:uuid:")
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"username": 1}', b'{"username":"a","password":"b","extra":1}', b"\xff\xfe"],
)
def test_a_body_that_is_not_the_schema_is_refused_without_repeating_it(house, body):
    answer = house.visitor().post("/api/v1/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["a\u0000b", "\ud800", "a\u0008b", "a\u007fb"])
def test_text_that_the_record_cannot_keep_is_refused(house, text):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = reader.post(REPORTS, json={"study_instance_uid": study.study_instance_uid, "draft_id": draft.id}).json()
    escaped = "".join(f"\\u{ord(c):04x}" for c in text)
    body = f'{{"findings": "{escaped}", "impression": "", "sentences": []}}'
    answer = reader.put(
        f"{REPORTS}/{report['id']}",
        content=body,
        headers={"If-Match": f'"{report["etag"]}"', "Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_a_body_above_the_limit_is_cut(house):
    visitor = house.visitor()
    announced = visitor.post("/api/v1/auth/login", content=b"x" * (BODY_LIMIT + 1))
    assert announced.status_code == 413

    def trickle():
        for _ in range(BODY_LIMIT // 65536 + 2):
            yield b"x" * 65536

    unannounced = visitor.post("/api/v1/auth/login", content=trickle())
    assert unannounced.status_code == 413
    assert unannounced.json()["status"] == 413


def test_a_fault_of_our_own_tells_nothing_of_itself(house, caplog):
    def fault() -> None:
        raise RuntimeError("Phantom^One")

    house.app.add_api_route("/fault", fault)
    answer = house.visitor().get("/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Phantom" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "Traceback" not in answer.text


def test_the_built_page_is_served_from_this_origin(house, tmp_path, pixels):
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>UniRG review</title>")
    (dist / "icon.svg").write_text("<svg/>")
    (dist / "assets" / "main-abc123.js").write_text("export {}")
    deps = ApiDeps(house.database, house.clock, house.store, pixels, lambda: True, web_dist=dist)
    visitor = TestClient(create_app(deps, quick_passwords()))
    index = visitor.get("/")
    assert index.text.startswith("<!doctype html>")
    assert index.headers["cache-control"] == "no-cache"
    script = visitor.get("/assets/main-abc123.js")
    assert "javascript" in script.headers["content-type"]
    assert "immutable" in script.headers["cache-control"]
    assert visitor.get("/icon.svg").headers["content-type"] == "image/svg+xml"
    for missing in ("/assets/other.js", "/index.php", "/assets/..%2f..%2frecord.db"):
        answer = visitor.get(missing)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_without_a_built_page_the_root_says_how_to_build_it(house):
    assert "make setup" in house.visitor().get("/").text
