"""docs/openapi.json is the contract as it stands; no answer is one that it does not know."""

from __future__ import annotations

import json

from app.main import bare_app
from scripts import openapi


def test_the_document_in_the_docs_is_the_one_that_the_routes_give():
    written = openapi.PLACE.read_text(encoding="utf-8")
    assert written == openapi.text(), "the contract has changed: run `.venv/bin/python -m scripts.openapi`"


def test_the_document_is_served_without_a_login(house):
    served = house.visitor().get("/api/v1/openapi.json").json()
    assert served == json.loads(openapi.text())


def test_every_refusal_is_described_as_a_problem():
    document = bare_app().openapi()
    refusals = [
        answer
        for path, operations in document["paths"].items()
        if path.startswith("/api/v1/")
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    ]
    assert refusals
    assert all(list(answer["content"]) == ["application/problem+json"] for answer in refusals)
    assert "Problem" in document["components"]["schemas"]


def test_every_operation_says_how_to_log_in_and_has_a_name_of_its_own():
    document = bare_app().openapi()
    operations = [o for path in document["paths"].values() for o in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    unlocked = [o["operationId"] for o in operations if o.get("security") == []]
    assert unlocked == ["login"]
