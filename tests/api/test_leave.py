"""Who may do what: every route, every role; a route that names no leave does not pass."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from app.access import GRANTS, Action, Role
from app.main import bare_app
from app.rest.guard import Allow, anyone
from tests.api.acts import CRITICAL, FOUND, SIGNING, TEXT, begin, sign, signed_report
from tests.builders.reading import add_image, add_ready_study

NOT_OURS = {"/api/v1/openapi.json"}
OPEN = {"/livez", "/readyz", "/startupz", "/metrics", "/api/v1/auth/login"}
ANYBODY_LOGGED_IN = {"/api/v1/auth/me", "/api/v1/auth/logout", "/api/v1/auth/password", "/api/v1/auth/keys"}
STUDY = "/studies/{study_instance_uid}"
SERIES = f"{STUDY}/series/{{series_instance_uid}}"
INSTANCE = f"{SERIES}/instances/{{sop_instance_uid}}"
OBJECTS = (STUDY, SERIES, INSTANCE)
DESCRIBED = (
    "/studies",
    "/series",
    "/instances",
    f"{STUDY}/series",
    f"{STUDY}/instances",
    f"{SERIES}/instances",
    f"{STUDY}/metadata",
    f"{SERIES}/metadata",
    f"{INSTANCE}/metadata",
    f"{INSTANCE}/frames/{{frames}}",
    f"{INSTANCE}/rendered",
)
LEAVE = {
    ("GET", "/api/v1/worklist"): Action.READ_STUDIES,
    ("GET", "/api/v1/worklist/counts"): Action.READ_STUDIES,
    ("POST", "/api/v1/worklist/search"): Action.READ_STUDIES,
    ("GET", "/api/v1/studies/{study_instance_uid}"): Action.READ_STUDIES,
    ("POST", "/api/v1/studies/{study_instance_uid}/claim"): Action.WRITE_REPORTS,
    ("DELETE", "/api/v1/studies/{study_instance_uid}/claim"): Action.WRITE_REPORTS,
    ("POST", "/api/v1/studies/{study_instance_uid}/redraft"): Action.REQUEST_DRAFTS,
    ("POST", "/api/v1/studies/{study_instance_uid}/views"): Action.READ_IN_PERSON,
    ("POST", "/api/v1/studies/{study_instance_uid}/priors/{prior_study_instance_uid}/fetch"): Action.READ_IN_PERSON,
    ("GET", "/api/v1/drafts/{draft_id}"): Action.READ_STUDIES,
    ("POST", "/api/v1/drafts/{draft_id}/feedback"): Action.WRITE_REPORTS,
    ("GET", "/api/v1/report-texts"): Action.KEEP_TEXTS,
    ("POST", "/api/v1/report-texts"): Action.KEEP_TEXTS,
    ("PUT", "/api/v1/report-texts/{text_id}"): Action.KEEP_TEXTS,
    ("DELETE", "/api/v1/report-texts/{text_id}"): Action.KEEP_TEXTS,
    ("GET", "/api/v1/worklist-lists"): Action.READ_IN_PERSON,
    ("POST", "/api/v1/worklist-lists"): Action.READ_IN_PERSON,
    ("GET", "/api/v1/worklist-lists/{list_id}"): Action.READ_IN_PERSON,
    ("PUT", "/api/v1/worklist-lists/{list_id}"): Action.READ_IN_PERSON,
    ("DELETE", "/api/v1/worklist-lists/{list_id}"): Action.READ_IN_PERSON,
    ("GET", "/api/v1/instances/{sop_instance_uid}/display"): Action.READ_STUDIES,
    ("POST", "/api/v1/reports"): Action.WRITE_REPORTS,
    ("GET", "/api/v1/reports/{report_id}"): Action.READ_STUDIES,
    ("PUT", "/api/v1/reports/{report_id}"): Action.WRITE_REPORTS,
    ("POST", "/api/v1/reports/{report_id}/sign"): Action.SIGN_REPORTS,
    ("POST", "/api/v1/reports/{report_id}/addenda"): Action.SIGN_REPORTS,
    ("POST", "/api/v1/reports/{report_id}/reject"): Action.WRITE_REPORTS,
    ("POST", "/api/v1/reports/{report_id}/critical-result"): Action.WRITE_REPORTS,
    ("POST", "/api/v1/reports/{report_id}/critical-findings"): Action.WRITE_REPORTS,
    ("POST", "/api/v1/reports/{report_id}/critical-findings/{finding_id}/drop"): Action.WRITE_REPORTS,
    ("GET", "/api/v1/reports/{report_id}/diff"): Action.READ_STUDIES,
    ("GET", "/api/v1/reports/{report_id}/deliveries"): Action.READ_STUDIES,
    ("GET", "/api/v1/changes"): Action.READ_CHANGES,
    ("GET", "/api/v1/events"): Action.READ_STUDIES,
    ("GET", "/api/v1/audit"): Action.READ_AUDIT,
    ("GET", "/api/v1/audit/verify"): Action.READ_AUDIT,
    ("GET", "/api/v1/oversight/drafts"): Action.READ_OVERSIGHT,
    ("GET", "/api/v1/admin/users"): Action.ADMINISTER,
    ("POST", "/api/v1/admin/users"): Action.ADMINISTER,
    ("PUT", "/api/v1/admin/users/{user_id}/roles"): Action.ADMINISTER,
    ("POST", "/api/v1/admin/users/{user_id}/disable"): Action.ADMINISTER,
    ("POST", "/api/v1/admin/users/{user_id}/enable"): Action.ADMINISTER,
    ("POST", "/api/v1/admin/users/{user_id}/password"): Action.ADMINISTER,
    ("GET", "/api/v1/admin/peers"): Action.ADMINISTER,
    ("POST", "/api/v1/admin/peers/{name}/echo"): Action.ADMINISTER,
    ("GET", "/api/v1/admin/queues"): Action.ADMINISTER,
    ("GET", "/api/v1/admin/dead-letters"): Action.ADMINISTER,
    ("POST", "/api/v1/admin/dead-letters/{job_id}/retry"): Action.ADMINISTER,
    ("POST", "/api/v1/admin/dead-letters/{job_id}/drop"): Action.ADMINISTER,
    ("GET", "/api/v1/admin/models"): Action.ADMINISTER,
    **{("GET", f"/dicom-web{path}"): Action.READ_STUDIES for path in (*OBJECTS, *DESCRIBED)},
    ("POST", "/dicom-web/studies"): Action.STORE_OBJECTS,
    ("POST", "/dicom-web/studies/{study_instance_uid}"): Action.STORE_OBJECTS,
    **{("GET", f"/dicom-web/displayed{path}"): Action.READ_STUDIES for path in DESCRIBED},
}
MACRO = {"scope": "personal", "kind": "macro", "shortcut": "ne", "title": "No effusion", "text": "No effusion."}
LIST = {"name": "mine", "filter": {"state": "ready"}}
BODIES = {
    "/api/v1/worklist/search": {},
    "/api/v1/reports/{report_id}": TEXT,
    "/api/v1/reports/{report_id}/sign": SIGNING,
    "/api/v1/reports/{report_id}/addenda": {"text": "x", **SIGNING},
    "/api/v1/reports/{report_id}/reject": {"reason": "x"},
    "/api/v1/reports/{report_id}/critical-result": CRITICAL,
    "/api/v1/reports/{report_id}/critical-findings": FOUND,
    "/api/v1/reports/{report_id}/critical-findings/{finding_id}/drop": {"reason": "x"},
    "/api/v1/studies/{study_instance_uid}/views": {"looked": True},
    "/api/v1/drafts/{draft_id}/feedback": {"kind": "style"},
    "/api/v1/report-texts": MACRO,
    "/api/v1/report-texts/{text_id}": MACRO,
    "/api/v1/admin/users": {"username": "new", "name": "New", "roles": ["viewer"], "password": "long enough"},
    "/api/v1/admin/users/{user_id}/roles": {"roles": ["viewer"]},
    "/api/v1/admin/users/{user_id}/password": {"password": "long enough"},
    "/api/v1/admin/dead-letters/{job_id}/retry": {"reason": "x"},
    "/api/v1/admin/dead-letters/{job_id}/drop": {"reason": "x"},
    "/api/v1/worklist-lists": LIST,
    "/api/v1/worklist-lists/{list_id}": LIST,
}


def leave_of(route):
    """Every leave that a route names, anywhere in its dependencies."""
    waiting, found = [route.dependant], []
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        if isinstance(dependant.call, Allow) or dependant.call is anyone:
            found.append(dependant.call)
    return found


def routes():
    return [route for route in bare_app().routes if isinstance(route, APIRoute)]


def test_every_route_names_exactly_one_leave():
    unclear = [route.path for route in routes() if len(leave_of(route)) != 1]
    assert unclear == []
    others = {route.path for route in bare_app().routes if isinstance(route, Route)} - {r.path for r in routes()}
    assert others == NOT_OURS


def test_each_leave_is_the_one_that_was_decided_on():
    named = {
        (method, route.path): leave_of(route)[0] for route in routes() for method in route.methods if method != "HEAD"
    }
    assert {path for (_, path), leave in named.items() if leave is anyone} == OPEN
    signed_in = {path for (_, path), leave in named.items() if isinstance(leave, Allow) and leave.action is None}
    assert signed_in == ANYBODY_LOGGED_IN
    decided = {key: leave.action for key, leave in named.items() if isinstance(leave, Allow) and leave.action}
    assert decided == LEAVE


def test_without_a_login_nothing_is_told(house):
    visitor = house.visitor()
    for method, template in LEAVE:
        answer = call(visitor, method, template, {})
        assert answer.status_code == 401, template
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_what_it_was_granted_and_nothing_else(house, role):
    places = furnished(house)
    machine = role in {Role.RIS, Role.PACS}
    reader = house.machine("robot", role) if machine else house.reader("eve", role)
    for (method, template), action in LEAVE.items():
        if template == "/api/v1/events":  # a stream without an end: tests/api/test_changes.py
            continue
        answer = call(reader, method, template, places)
        if action in GRANTS[role]:
            assert answer.status_code not in {401, 403}, (template, answer.text)
        else:
            assert answer.status_code == 403, (template, answer.text)
            assert answer.json()["type"] == "urn:unirg:problem:not-allowed"


def furnished(house):
    ada = house.reader("ada")
    study, report = signed_report(house, ada)
    image = add_image(house.database, house.clock, study, house.store)
    return {
        "study_instance_uid": study.study_instance_uid,
        "draft_id": report["draft_id"],
        "series_instance_uid": image.series_instance_uid,
        "sop_instance_uid": image.sop_instance_uid,
        "report_id": report["id"],
        "frames": "1",
    }


def call(client, method, template, places):
    rows = dict.fromkeys(("draft_id", "report_id", "finding_id", "text_id", "list_id", "user_id", "job_id"), "0" * 32)
    named = ("study_instance_uid", "prior_study_instance_uid", "series_instance_uid", "sop_instance_uid")
    uids = dict.fromkeys(named, "1.2.3")
    blanks = {**rows, **uids, "frames": "1", "name": "mine"}
    body = BODIES.get(template) if method in {"POST", "PUT"} else None
    if template == "/api/v1/reports":
        body = {"study_instance_uid": {**blanks, **places}["study_instance_uid"]}
    return client.request(method, template.format(**{**blanks, **places}), json=body)


def test_a_role_that_is_taken_away_is_gone_at_once(house):
    reader = house.reader("ada", Role.RADIOLOGIST)
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    house.change_roles("ada", Role.VIEWER)
    assert sign(reader, report).status_code == 403
    assert reader.get(f"/api/v1/reports/{report['id']}").status_code == 200
