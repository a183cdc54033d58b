"""A reader changes his own password, at the top bar of every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.builders.reading import PASSWORD
from tests.web.administered import audited, may_log_in

pytestmark = pytest.mark.peer("chromium", "node")

NEWER = "another horse battery"


def test_a_password_is_changed_after_what_is_wrong_was_told(reader, room):
    reader.log_in("ada")
    page, keys = reader.page, reader.page.keyboard
    page.get_by_role("button", name="Password…").click()
    dialog = page.get_by_role("dialog", name="My password")
    present = dialog.get_by_label("Present password")
    expect(present).to_be_focused()
    assert reader.audit_accessibility() == []
    keys.type("not the password")
    keys.press("Tab")
    keys.type("short")
    keys.press("Tab")
    keys.type("shor")
    expect(dialog.get_by_text("not the same yet")).to_be_visible()
    expect(dialog.get_by_role("button", name="Change the password")).to_be_disabled()
    keys.type("t")
    keys.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("nothing was changed")
    present.fill(PASSWORD)
    keys.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("at least 8 characters")
    dialog.get_by_label("New password, at least").fill(NEWER)
    dialog.get_by_label("New password once more").fill(NEWER)
    keys.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("The new password holds from now on")
    assert reader.audit_accessibility() == []
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Password…")).to_be_focused()
    assert [may_log_in(room, "ada", word) for word in (PASSWORD, NEWER)] == [False, True]
    assert [actor for actor, _ in audited(room, "auth.password_changed")] == ["user:ada"]
    page.reload()
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    assert NEWER not in reader.traces()
