"""A closer look where points are decided: is a backward a derivation, and is it right for its own forward?

Whatever is seen here, and whatever the submission does meanwhile, changes no points.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.grading.answers import Answers, Session, is_right_for_itself
from gradcheck.grading.questions import Question
from gradcheck.grading.reference import FORWARD
from gradcheck.grading.rooms import seconds_of
from gradcheck.grading.suspicion import calls_forward, seems_costly, seems_differenced
from gradcheck.model.case import Verdict

OWN = "your backward is right for your own forward: it is the forward that differs from what was asked for"
PROFILE = "the errors of its gradients are those of differences: backward may not be a derivation"


class CloserLook:
    """What is seen of one submission.

    source : all its files; largest : the visible check with the most elements, whose costs are looked at
    """

    def __init__(self, source: bytes, largest: str) -> None:
        self._source, self._largest = source, largest
        self._is_over = False
        self._is_costly = ""
        self._profiles: dict[str, bool] = {}  # check → whether all its right gradients look like differences

    @property
    def flags(self) -> tuple[str, ...]:
        """Why a person should look at it, too."""
        is_differenced = any(self._profiles.values())
        return tuple(flag for flag in (self._is_costly, PROFILE if is_differenced else "") if flag)

    def look(
        self, check: str, question: Question, answers: Answers, session: Session, verdicts: Mapping[str, Verdict]
    ) -> list[str]:
        """Notes for the author of the submission.

        verdicts : tensor → the gravest so far
        Raises CodeError, BoxError; whoever breaks while being looked at is not looked at again.
        """
        if self._is_over:
            return []
        self._is_over = True
        notes = self._seen(check, question, answers, session, verdicts)
        self._is_over = False
        return notes

    def _seen(
        self, check: str, question: Question, answers: Answers, session: Session, verdicts: Mapping[str, Verdict]
    ) -> list[str]:
        if all(verdict == "pass" for tensor, verdict in verdicts.items() if tensor != FORWARD):
            profile = seems_differenced(answers.gradients, question.analytic)
            if profile is not None:
                self._profiles[check] = profile and self._profiles.get(check, True)
            if check == self._largest and not self._is_costly:
                self._look_at_cost(question, answers, session)
        elif verdicts.get(FORWARD) == "fail" and is_right_for_itself(
            question, answers, session, seconds_of(question.case)
        ):
            return [OWN]
        return []

    def _look_at_cost(self, question: Question, answers: Answers, session: Session) -> None:
        def timed() -> tuple[float, float]:
            started = session.cpu_seconds()
            session.forward(answers.point)
            between = session.cpu_seconds()
            session.gradients(answers.point, list(question.upstream))
            return between - started, session.cpu_seconds() - between

        if seems_costly(question.size, timed, answers.seconds, calls_forward(self._source, question.plan)):
            self._is_costly = f"backward takes as long as differences of its {question.size} elements would"
