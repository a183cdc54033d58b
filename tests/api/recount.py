"""What became of the drafts, counted from the tables by another way than the application's."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from model.findings import read_findings
from model.report_text import sentences

DECISIONS = ("accepted", "edited", "rejected", "added", "pending")


def rows_of(house, where="1 = 1"):
    """The signed reports as the tables have them, read without the application."""
    query = f"""
        SELECT r.id, r.findings, r.impression, r.sentences AS decided, r.signed_at, s.id AS study_id, s.received_at,
               s.issuer, d.sentences AS drafted, d.created_at AS drafted_at, d.model, d.weights_digest, d.prompt_version
        FROM reports r JOIN studies s ON s.id = r.study_id LEFT JOIN drafts d ON d.id = r.draft_id
        WHERE r.signed_at IS NOT NULL AND {where}"""
    with house.database.reading() as session:
        rows = [dict(row) for row in session.connection().exec_driver_sql(query).mappings()]
    for row in rows:
        row["decided"], row["drafted"] = json.loads(row["decided"]), json.loads(row["drafted"] or "null")
    return rows


def decisions_of(row):
    """(decision, text by which the sentence is classed, flag codes) of each sentence."""
    own = {sentence["index"]: sentence for sentence in row["drafted"] or ()}
    for sentence in row["decided"]:
        drafted = own.get(sentence["index"])
        codes = [flag["code"] for flag in drafted["flags"]] if drafted else []
        yield sentence["decision"], (drafted or sentence)["text"], codes


def compared(row):
    """Draft against signed text by another way: sentences of the whole text, less those of what was kept."""
    kept = [one for one in row["decided"] if one["decision"] in {"accepted", "edited"}]
    own = {one["index"]: one["text"] for one in row["drafted"]}
    unchanged = sum(one["text"] == own[one["index"]] for one in kept)
    whole = len(sentences(row["findings"])) + len(sentences(row["impression"]))
    drafted = {(f.condition, f.side) for t in own.values() for f in read_findings(t) if f.presence != "absent"}
    text = f"Findings: {row['findings']} Impression: {row['impression']}"
    signed = {(f.condition, f.side) for f in read_findings(text) if f.presence != "absent"}
    return Counter(
        reports=1,
        draft_sentences=len(own),
        signed_sentences=whole,
        unchanged=unchanged,
        reworded=len(kept) - unchanged,
        deleted=len(own) - len(kept),
        added=whole - len(kept),
        findings_in_both=len(drafted & signed),
        findings_only_in_draft=len(drafted - signed),
        findings_only_in_signed=len(signed - drafted),
    )


def places(house):
    """Senders and views by study, of the images that were there at the signature."""
    query = """
        SELECT DISTINCT i.study_id, i.calling_ae, i.view_position
        FROM instances i JOIN reports r ON r.study_id = i.study_id WHERE i.received_at <= r.signed_at"""
    senders, views = defaultdict(set), defaultdict(set)
    with house.database.reading() as session:
        for study_id, sender, view in session.connection().exec_driver_sql(query):
            senders[study_id] |= {sender}
            views[study_id] |= {view} - {""}
    return senders, views


def names(house, by):
    senders, views = places(house)
    return {
        "model": lambda row: (row["model"], row["weights_digest"], row["prompt_version"]),
        "site": lambda row: (row["issuer"] or " + ".join(sorted(senders[row["study_id"]])), None, None),
        "device": lambda _: (None, None, None),
        "view": lambda row: (" + ".join(sorted(views[row["study_id"]])) or None, None, None),
    }[by]
