"""Requests nobody should send: each is refused in words of the contract, none is a fault of ours."""

from __future__ import annotations

from string import Formatter
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import Role
from tests.api.acts import REPORTS, begin
from tests.api.test_leave import LEAVE, furnished
from tests.builders.reading import add_ready_study

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
QUERY = st.dictionaries(
    st.sampled_from(["state", "priority", "q", "cursor", "limit", "after", "study", "actor", "other"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.integers().map(str),
    max_size=4,
)
MEMBERS = (
    *("findings", "impression", "sentences", "password", "meaning", "text", "reason", "study_instance_uid", "filter"),
    *("sop_instance_uid", "looked", "kind", "note", "sentence_index", "scope", "shortcut", "title", "roles"),
)
QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def asker(house):
    client = house.machine("robot", Role.RADIOLOGIST)
    house.change_roles("robot", *Role)
    return client


@QUIET
@given(data=st.data())
def test_no_query_is_too_odd(asker, data):
    path = data.draw(st.sampled_from(["/api/v1/worklist", "/api/v1/changes", "/api/v1/audit"]))
    answer = asker.get(path, params=data.draw(QUERY))
    assert answer.status_code in {200, 400, 422}


@QUIET
@given(data=st.data())
def test_no_address_is_too_odd(asker, data):
    _, template = data.draw(st.sampled_from(sorted(LEAVE)))
    if template.endswith("/events"):
        return
    odd = data.draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=70))
    path = template
    for name in names_in(template):
        path = path.replace(f"{{{name}}}", quote(odd, safe="/:@!$&()*+,;="))
    answer = asker.request(data.draw(st.sampled_from(["GET", "PUT", "POST", "DELETE"])), path)
    assert answer.status_code < 500


@QUIET
@given(data=st.data())
def test_no_body_is_too_odd(house, asker, data):
    known = placed(house)
    paths = [template for method, template in LEAVE if method in {"POST", "PUT"}]
    template = data.draw(st.sampled_from([*paths, "/api/v1/auth/login"]))
    places = {name: known.get(name, "0" * 32) for name in names_in(template)}
    body = data.draw(JUNK | st.dictionaries(st.sampled_from(MEMBERS), JUNK, max_size=4))
    method = "PUT" if ("PUT", template) in LEAVE else "POST"
    try:
        answer = asker.request(method, template.format(**places), json=body, headers={"If-Match": '"x"'})
    except (ValueError, UnicodeEncodeError):
        return  # the client library itself would not send it
    assert answer.status_code < 500


def names_in(template):
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def placed(house):
    if not hasattr(house, "furniture"):
        house.furniture = furnished(house)
    return house.furniture


@pytest.mark.parametrize("tag", ['"', '""', "*", 'W/"x"', ",,,", '"a", "b"', "\u00fc", "x" * 5000])
def test_odd_entity_tags_match_nothing(house, tag):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = begin(reader, study, draft)
    body = {"findings": "x", "impression": "", "sentences": []}
    path = f"{REPORTS}/{report['id']}"
    assert reader.put(path, json=body, headers={"If-Match": tag.encode()}).status_code == 412
