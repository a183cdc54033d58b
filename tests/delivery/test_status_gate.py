"""LAW 3 over everything a report can be: nothing unsigned leaves as verified or final, on no channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.status_gate import Standing, outgoing
from app.domain.report import ReportStatus
from app.errors import Conflict

standings = st.builds(
    Standing, status=st.sampled_from(ReportStatus), signed=st.booleans(), signature_fits=st.booleans()
)


@given(standings)
def test_nothing_unsigned_leaves_as_verified_or_final(standing):
    try:
        sent = outgoing(standing)
    except Conflict:
        return
    claims_more = (
        sent.verification_flag == "VERIFIED"
        or sent.preliminary_flag == "FINAL"
        or sent.obr_25 != "R"
        or sent.fhir != "preliminary"
        or not sent.watermark
    )
    assert not claims_more or (standing.signed and standing.signature_fits)


@given(standings)
def test_the_channels_never_contradict_each_other(standing):
    try:
        sent = outgoing(standing)
    except Conflict:
        return
    verified = {
        sent.verification_flag == "VERIFIED",
        sent.obr_25 in "FC",
        sent.fhir in ("final", "appended"),
        not sent.watermark,
    }
    assert len(verified) == 1


def test_a_signature_that_does_not_fit_stops_everything():
    with pytest.raises(Conflict, match="differ from what was signed"):
        outgoing(Standing(ReportStatus.FINAL, signed=True, signature_fits=False))


def test_a_withdrawn_report_does_not_leave():
    with pytest.raises(Conflict, match="withdrawn"):
        outgoing(Standing(ReportStatus.CANCELLED, signed=False, signature_fits=False))
