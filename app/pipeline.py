"""The product on one screen: what follows each event.

A study's road: C-STORE -> quiet period -> priors -> draft -> review -> sign -> delivery.
Stages never call each other; they meet here. A value is a task name; None waits for a clock or a person.
"""

from __future__ import annotations

from app.domain import events

FLOW: dict[type[events.Event], str | None] = {
    events.InstanceStored: None,  # completeness sweeps on a clock
    events.StudyCompleted: "priors.gather",
    events.RedraftRequested: "priors.gather",
    events.PriorsGathered: "drafting.write",
    events.PriorWanted: "priors.fetch",  # beside the road: no stage waits for it
    events.DraftWritten: None,  # waits for a radiologist
    events.EvidenceWanted: "evidence.point",  # beside the road: nobody waits for it
    events.DraftGivenUp: None,  # waits for a radiologist, who reads by hand
    events.ReportSigned: "delivery.send",
    events.AddendumSigned: "delivery.send",
    events.ReportDelivered: None,  # end of the road
}


def next_task(event: events.Event) -> str | None:
    """The task that follows `event`, or None."""
    return FLOW[type(event)]
