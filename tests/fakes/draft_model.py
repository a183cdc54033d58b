"""A draft model whose words a test chooses."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.report import DraftInputs, ModelIdentity, ModelText, Region, Token
from app.errors import ModelMisbehaved

SOUND = "Findings: The heart is enlarged. No pleural effusion. Impression: Cardiomegaly."


def spoken(text: str, finish_reason: str = "stop") -> ModelText:
    """The text as a model gives it: a token for each word, the first ones less sure."""
    words = [Token(f"{' ' * bool(index)}{word}", -1.0 / (index + 1)) for index, word in enumerate(text.split(" "))]
    return ModelText(text, tuple(words), finish_reason)


class ChosenWords:
    """Implements app.ports.DraftModel; ``answers`` are given in turn, the last one for ever; an exception is raised."""

    def __init__(self, *answers: ModelText | Exception) -> None:
        self.answers: list[ModelText | Exception] = list(answers or (spoken(SOUND),))
        self.asked: list[DraftInputs] = []
        self.model = ModelIdentity("chosen-words", "a" * 64, "unirg-cxr-1", 128)
        self.identity_error: Exception | None = None
        self.place: Region | Exception | None = Region(0.25, 0.5, 0.5, 0.75, 2.0)
        """Where every span is; an exception is raised."""
        self.pointed: list[tuple[DraftInputs, list[str]]] = []

    @property
    def identity(self) -> ModelIdentity:
        if self.identity_error:
            raise self.identity_error
        return self.model

    def draft(self, inputs: DraftInputs) -> ModelText:
        self.asked.append(inputs)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def points(self) -> bool:
        return True

    def regions(self, inputs: DraftInputs, text: str, spans: Sequence[tuple[int, int]]) -> Sequence[Region | None]:
        if "<|" in text:
            message = "No answer of this model has such marks."
            raise ModelMisbehaved(message)
        self.pointed.append((inputs, [text[start:end] for start, end in spans]))
        if isinstance(self.place, Exception):
            raise self.place
        return [self.place for _ in spans]

    def warm(self) -> None:
        pass

    def ready(self) -> bool:
        return self.identity_error is None
