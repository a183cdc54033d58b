"""A browser that takes itself for offline: the service stands in the house, so the page asks, and says what came."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.peer("chromium", "node")


def test_without_an_answer_the_page_says_so_and_goes_on_afterwards(reader, room):
    room.study(with_film=False, patient_name="Doe^Jane")
    room.study(with_film=False, patient_name="Roe^Richard")
    page = reader.page
    reader.log_in("ada")
    reader.open("Roe, Richard")  # which fetches the part of the page that shows studies
    page.get_by_role("button", name="← Worklist").click()
    row = page.get_by_role("button", name="Doe, Jane")
    expect(row).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Keep this list…").click()
    dialog = page.get_by_role("dialog", name="Saved lists")
    dialog.get_by_role("textbox").fill("Mine")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("The service cannot be reached.")
    page.keyboard.press("Escape")
    row.click()
    expect(page.get_by_role("alert")).to_contain_text("The study could not be opened")
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached.")
    page.context.set_offline(False)
    page.get_by_role("button", name="← Worklist").click()
    row.click()
    expect(page.get_by_role("region", name="Patient and study")).to_contain_text("Doe, Jane")


def test_even_offline_by_its_own_word_the_browser_reaches_a_service_that_answers(reader, room):
    room.study(with_film=False, patient_name="Doe^Jane")
    reader.page.add_init_script("Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false })")
    reader.log_in("ada")
    reader.page.evaluate("dispatchEvent(new Event('offline'))")
    reader.open("Doe, Jane")
