"""LAW 4: the words of comparison are known, and so are their innocent uses."""

from __future__ import annotations

import json
import re

import pytest

from model.comparison import compares
from model.report_text import sentences
from tests.peers.presence import data_root

COMPARING = """
Compared to the prior study, the effusion is larger.
In comparison with the radiograph of yesterday, no difference.
Comparison: none.
No comparison is available.
No prior studies are available.
The heart size is unchanged.
Stable cardiomegaly.
No significant change.
No interval change since the previous study.
Interval development of a left pleural effusion.
Interval regression of pulmonary edema.
Interval removal of the endotracheal tube.
New left lower lobe consolidation.
There is a new right pneumothorax.
Newly apparent opacity at the left base.
No new consolidation.
The effusion has increased.
The effusion has slightly decreased.
Increased left pleural effusion.
Increasing opacification of the right lung.
Decreasing edema.
Left effusion is smaller.
The right pneumothorax is larger.
Worsening pulmonary edema.
Edema is worse.
Improved aeration of the left base.
The consolidation has improved.
Better aerated lungs.
Progression of disease.
The pneumothorax has resolved.
Resolving pneumonia.
Resolution of the left effusion.
Persistent left effusion.
The effusion persists.
The lungs remain clear.
There is no longer a pneumothorax.
The tube is now in place.
Still no pneumothorax.
Continued edema.
Residual left pneumothorax.
Recurrent right effusion.
Again seen is a left pacemaker.
Redemonstration of a right nodule.
A nodule was previously seen in the right upper lobe.
As on the prior film, the heart is enlarged.
The opacity was seen earlier.
This is new since 2019.
Similar to the previous examination.
Similar mild cardiomegaly.
The same appearance of the mediastinum.
The central line has been removed.
The tube has been repositioned.
The patient has been extubated.
Edema has cleared.
Clearing of the right base.
The opacity is more prominent.
The left effusion is less extensive.
Evolving infiltrate.
Developing pneumonia.
The nodule has grown.
Heart size has normalized.
On the last examination there was an effusion.
Two days ago the lungs were clear.
Unlike the radiograph of 2019-01-02, no effusion.
As of January 2, 2019 the effusion was small.
Change: left pleural effusion worse.
Change: none.
Left effusion, unaltered.
The left pleural effusion is reduced.
The effusion hasn't cleared.
The effusion hasn\N{RIGHT SINGLE QUOTATION MARK}t cleared.
The pneumothorax is gone.
The opacity has disappeared.
As before, there is edema.
Progressive edema.
Redemonstrated left effusion.
Unchanged left effusion.
Compared with the prior study.
New consolidation.
The heart remains enlarged.
Effusion similar to the last study.
Effusion as seen on the last film.
""".strip().splitlines()

DESCRIBING = """
Decreased lung volumes.
Increased interstitial markings are noted.
Increased AP diameter of the chest.
Increased lucency of the upper lobes.
The cardiac silhouette is mildly increased in size.
Degenerative changes of the thoracic spine.
Chronic changes without acute disease.
Postsurgical changes of the left breast.
Emphysematous changes.
Prior median sternotomy.
Evidence of prior granulomatous disease.
Previous CABG.
Old healed rib fractures.
The patient is hemodynamically stable.
Effusion, right greater than left.
The left hemidiaphragm is elevated compared to the right.
Bibasilar disease, worse on the left.
Follow-up radiograph is recommended.
Continued follow-up is advised.
High resolution CT may help.
The remainder of the lungs is clear.
No acute cardiopulmonary abnormality.
There is a small left pleural effusion.
An endotracheal tube is in place.
The heart is enlarged.
Edema: moderate.
No pneumothorax.
A right pacemaker is in place.
Consolidation in the left lower zone.
Well developed patient.
Opacity more prominent on the left.
Residual contrast in the bowel.
Progressive massive fibrosis.
Degenerative changes of the spine.
Chronic changes.
No pleural effusion.
There is a large right pneumothorax.
""".strip().splitlines()


@pytest.mark.parametrize("sentence", COMPARING)
def test_a_comparison_is_noticed(sentence: str) -> None:
    assert compares(sentence)
    assert compares(sentence.upper())
    assert compares(sentence.replace(" ", "\n "))


@pytest.mark.parametrize("sentence", DESCRIBING)
def test_a_description_is_left_alone(sentence: str) -> None:
    assert not compares(sentence)


@pytest.mark.peer("test-data")
def test_real_reports_that_compare_with_nothing_are_left_alone() -> None:
    """532 Open-I reports; in those whose comparison is "None", at most one sentence in a hundred is taken for one."""
    lines = (data_root() / "openi_dev" / "reports.jsonl").read_text().splitlines()
    first = [
        report for report in map(json.loads, lines) if re.match(r"\s*none", report["comparison"] or "", re.IGNORECASE)
    ]
    said = [
        span.text
        for report in first
        for section in ("findings", "impression")
        for span in sentences(report[section] or "")
    ]
    assert len(said) > 1000
    assert sum(map(compares, said)) <= len(said) / 100
