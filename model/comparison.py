"""Does a sentence compare with an earlier image? One rule for the service's guardrails, the rewards and the scores.

A missed comparison invents a patient's history; a false alarm hides a finding. So the table knows both the words of
change and their innocent uses ("decreased lung volumes", "prior sternotomy", "degenerative changes").
"""

from __future__ import annotations

import re

from model.wording import spelled_out

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_PAST_CARE = (
    r"(?:(?:median|cardiac|thoracic|abdominal|left|right|bilateral|known|healed|remote|coronary|rib|breast|chest|lung|"
    r"upper|middle|lower|lobe|vertebral|spinal|cervical|lumbar|aortic|mitral|open)\s+)*"
    r"(?:sternotom\w*|surg\w*|granulo\w*|cabg|bypass|infect\w*|inflammat\w*|fracture\w*|thoracotom\w*|lobectom\w*|"
    r"pneumonectom\w*|mastectom\w*|resection\w*|trauma\w*|gunshot|wound\w*|injur\w*|valve\w*|repair\w*|intervention\w*|procedure\w*|"
    r"operation\w*|instrumentation|radiation|radiotherapy|therapy|treatment\w*|asbestos\w*|tubercul\w*|tb|"
    r"histoplasm\w*|cholecystectom\w*|fusion|kyphoplast\w*|vertebroplast\w*|myocardial|stent\w*|transplant\w*|"
    r"ablation|biops\w*|exposure|episode\w*|disease\w*|healed|treated|history|smok\w*|insult\w*|pleurodesis)"
)
_OTHER_SIDE = r"(?:the\s+)?(?:left|right|contralateral|opposite|other|normal|adjacent|surrounding)"
_STEADY = r"(?:significant|appreciable|substantial|relevant|definite|gross|obvious|interval|major|material|real|other|"
_STEADY += (
    r"further|apparent|noticeable|great|much|discernible|convincing|detectable|evident|short-term|acute interval)"
)
# What may be "increased" or "decreased" as it is, without an earlier film.
_AS_IT_IS = (
    r"(?:marking|lucen|densit|attenuation|volume|diameter|dimension|inspirat|aerat|inflat|expan|kyphos|bone|mineral|osse|"
    r"retrosternal|airspace|perihilar|vascul|interstiti|prominen|caliber|heart|cardiac|cardiothoracic|silhouette|"
    r"curvature|thickness|opaci|radiodens|convex|height|space|trabecul|lordos|risk|sensitiv|detail|resolution of the)"
)

_CHANGE = r"changes?\b(?!\s+of\b)"
_STUDY = r"(?:exam\w*|stud(?:y|ies)|films?|radiograph\w*|images?|imaging|x-?rays?|cxr|ct|scans?|reports?)\b"
_DONE_TO_A_DEVICE = r"(?:remov|plac|insert|reposition|advanc|withdraw|retract|exchang|extubat|intubat|pull)\w*"
_DIFFERENT = (
    r"(?:clear|increas|decreas|reduc|diminish|enlarg|grown|lessen|subsid|abat|migrat|mov|normali[sz])(?:ed|n)?\b"
)
_DEGREE = (
    r"(?:prominent|conspicuous|pronounced|extensive|confluent|severe|apparent|evident|marked|dense|distinct|visible)"
)
_LIKENESS = (
    r"(?:to\b(?!\s+(?:the\s+)?(?:left|right|other))|(?:in\s+)?(?:appearance|size|extent|position|degree)|findings)"
)
_HAS = r"\b(?:has|have|had)\s+(?:\w+\s+){0,3}"

_ALWAYS = (
    # the words for the other image
    r"\binterval(?:ly)?\b|\bin\s+the\s+inter(?:im|vening)\b|\bcomparison",
    rf"\bcompar(?:ed|ing|e)\b(?!\s+(?:to|with)\s+{_OTHER_SIDE})",
    rf"\b(?:prior|previous|preexisting|pre-existing)s?\b(?!\s+{_PAST_CARE})",
    rf"\bpreviously\b(?!\s+{_PAST_CARE})",
    r"\bearlier\b|\bbefore\b|\byesterday\b|\btoday\b|\bago\b|\bat\s+that\s+time\b|\bbaseline\b|\bformer(?:ly)?\b",
    r"\bsince\b(?!\s+(?:the\s+)?(?:patient|childhood|birth|only|this|it|there))",
    rf"\b(?:last|recent|old|outside|available)\s+(?:chest\s+)?{_STUDY}",
    r"\b(?:day|week|month|hour|year)s?\s+prior\b|\bserial\b|\btrend\w*",
    r"\b(?:19|20)\d\d-\d\d?-\d\d?\b|\b\d{1,2}/\d{1,2}/(?:\d\d){1,2}\b|\b\d{1,2}\.\d{1,2}\.(?:19|20)\d\d\b",
    rf"\b(?:{'|'.join(MONTHS)})\s+(?:\d|of\s+\d)",
    # the same as then
    r"\bagain\b|\bre-?(?:demonstrat|identif|visuali[sz]|seen|accumulat|expan|appear|develop|occur)\w*",
    r"\bunchanged\b|\bunaltered\b|\bstability\b|(?<!hemodynamically )(?<!clinically )(?<!medically )\bstable\b",
    rf"\b(?:no|not|without|little|minimal|slight|mild|marked|any|dramatic|some)\s+(?:{_STEADY}\s+)*{_CHANGE}",
    r"\bpersist\w*|\bremain(?:s|ed)?\b|\bstill\b|\bresidual\b(?!\s+(?:contrast|barium|oral))",
    r"\bcontinu(?:e|es|ing)\b|\bcontinued\b(?!\s+(?:follow|monitor|surveillance|evaluation|attention|clinical))",
    rf"\bsimilar\s+{_LIKENESS}|^similar\b|\bsimilar-appearing\b",
    r"\bthe\s+same\s+(?:as|size|appearance|position|extent)\b",
    # different from then
    rf"\bchanged\b|\bchange\s*:|\b{_STEADY}\s+{_CHANGE}|\bchanges?\s+(?:from|since)\b|\bchange\s+in\b",
    r"\bnew(?:ly)?\b(?!\s+(?:york|england|zealand))|\bno\s+longer\b|\bnow\b",
    rf"\bworse\b(?!\s+(?:(?:than|on|in|at)\s+)?{_OTHER_SIDE})|\bworsen\w*|\bdeteriorat\w*",
    r"\bimprov(?:e|ed|es|ing|ement)s?\b|\bbetter\s+(?:aerat|inflat|expan)\w*",
    r"\bprogress(?:ed|es|ing|ion)\b|\bprogressive(?:ly)?\b(?!\s+massive)|\bregress\w*",
    r"\bresolv(?:ed|ing|es|e)\b|(?<!high )\bresolution\s+of\b|\b(?:complete|partial|near)\s+resolution\b",
    r"\bgone\b|\bdisappear\w*",
    rf"{_HAS}developed\b|\bdeveloping\b|\bdevelopment\s+of\b|\bevolv\w*|\bevolution\b",
    r"\brecur(?:s|red|rent|rence)\b(?!\s+laryngeal)",
    rf"{_HAS}{_DIFFERENT}|\b(?:is|are|was|were)\s+(?:\w+\s+){{0,2}}cleared\b|\bclearing\s+of\b",
    r"\bnormali[sz](?:ed|ation|ing)\b",
    r"\b(?:increasing|decreasing|diminishing|enlarging|growing|expanding|lessening|clearing)(?:ly)?\b",
    r"\b(?:increase|decrease|reduction|growth|enlargement)\s+in\b",
    rf"\b(?:more|less)\s+{_DEGREE}\b(?!\s+(?:on|in|at|along|over|within|than)\s+(?:the\b|{_OTHER_SIDE}))",
    rf"\b(?:larger|smaller|bigger|denser|wider)\b(?!\s+(?:on|than|in)\s+{_OTHER_SIDE})",
    rf"{_HAS}been\s+(?:\w+\s+)?{_DONE_TO_A_DEVICE}|\bremoval\s+of\b|\bextubat\w+",
)
# Of these it depends on what they are said of.
_AMOUNT = re.compile(r"\b(?:increased|decreased|reduced|diminished)\b")
_SINCE_WHEN = re.compile(r"\b(?:from|than)\b")
_INNOCENT = re.compile(_AS_IT_IS)
_COMPARES = re.compile("|".join(_ALWAYS))
_CLAUSES = re.compile(r"[,;:]|\bwith\b|\bbut\b|\band\b")


def compares(sentence: str) -> bool:
    """Whether the sentence speaks of an earlier state of this patient, in any of the words reports use for it."""
    lowered = re.sub(r"\s+", " ", spelled_out(sentence))
    return bool(_COMPARES.search(lowered)) or any(map(_amount_changed, _CLAUSES.split(lowered)))


def _amount_changed(clause: str) -> bool:
    """An increased effusion compares; increased interstitial markings describe."""
    if not _AMOUNT.search(clause):
        return False
    return bool(_SINCE_WHEN.search(clause)) or not _INNOCENT.search(clause)
