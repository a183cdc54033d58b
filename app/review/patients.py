"""The patient of a study on the wire."""

from __future__ import annotations

from app.db.tables import Study
from app.review.schemas import PatientOut


def patient_out(study: Study) -> PatientOut:
    """As received; empty is None."""
    return PatientOut(
        name=study.patient_name or None,
        id=study.patient_id or None,
        issuer=study.issuer or None,
        birth_date=study.birth_date or None,
        sex=study.sex or None,
    )
