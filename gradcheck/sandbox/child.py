"""Inside the box: answers requests with arrays, or with a description of what the submission's code did wrong.

A file may be loaded several times, each time anew; its sessions are numbered in that order. Whatever happens in here is
the submission's own affair: the grader believes no answer, it judges the numbers. Standard library and numpy only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NoReturn

from gradcheck.handwritten.session import Code, CodeError, Session
from gradcheck.handwritten.session.errors import text_of
from gradcheck.handwritten.session.interrupts import watched

from . import channel
from .probe import probe
from .served import FOLDER, ServedFiles, ServedModules

Reply = tuple[dict[str, Any], channel.Named]


def serve(requests: int, answers: int) -> NoReturn:
    """Answer until the grader closes its end; never returns."""
    # Bound now: a submission may put others in their place, for what that is worth.
    send, receive, frame, end = channel.send, channel.receive, channel.frame, os._exit
    out_of_memory = channel.OUT_OF_MEMORY
    inside = Inside()
    try:
        while (received := receive(requests)) is not None:
            head, header, arrays = received
            kind, reply, named = _answered(inside, header, arrays)
            try:
                pieces = frame(kind, head.number, reply, named)
            except Exception as error:  # names or arrays that cannot travel
                pieces = frame(channel.ERROR, head.number, _described(error, inside.during))
            send(answers, pieces)
    except MemoryError:  # not even an answer can be made any more
        end(out_of_memory)
    end(0)


def _answered(inside: Inside, header: dict[str, Any], arrays: channel.Named) -> tuple[int, dict[str, Any], Any]:
    try:
        with watched():
            reply, named = inside.requests[header["ask"]](header, arrays)
        return channel.ANSWER, reply, named
    except CodeError as error:
        return channel.ERROR, _fields(error), ()
    except BaseException as error:  # a mistake of ours, or one of theirs that nothing foresaw: the box goes on
        return channel.ERROR, _described(error, inside.during), ()


def _fields(error: CodeError) -> dict[str, Any]:
    return {name: getattr(error, name) for name in ("kind", "during", "text", "file", "line", "hint")}


def _described(error: BaseException, during: str) -> dict[str, Any]:
    return _fields(CodeError("raised", during, text_of(error)))


class Inside:
    """The files of the submission and the sessions on them.

    during : what was asked for last
    """

    def __init__(self) -> None:
        self.served = ServedFiles({})
        self.sessions: list[Session] = []
        self.during = "load"
        self.requests: dict[str, Callable[[dict[str, Any], channel.Named], Reply]] = {
            "files": self._files, "load": self._load, "open": self._open, "forward": self._forward,
            "gradients": self._gradients, "survey": self._survey, "probe": self._probe,
        }  # fmt: skip

    def _files(self, header: dict[str, Any], arrays: channel.Named) -> Reply:
        self.served = ServedFiles({name: array.tobytes() for name, array in arrays})
        return {}, []

    def _load(self, header: dict[str, Any], arrays: channel.Named) -> Reply:
        self.during, file = "load", header["file"]
        if file not in self.served.files:
            raise CodeError("missing", "load", f"there is no file '{file}'")
        code = Code(f"{FOLDER}/{file}", modules=ServedModules(self.served, file))
        session = Session(code, header["plan"])
        self.sessions.append(session)
        return {"session": len(self.sessions) - 1, "state": _state(session)}, []

    def _open(self, header: dict[str, Any], arrays: channel.Named) -> Reply:
        self.during = "load"
        session = self.sessions[header["session"]]
        parameters = session.open(dict(arrays))
        return self._told(session, [*parameters.items(), *session.rounded.items()], last=len(session.rounded))

    def _forward(self, header: dict[str, Any], arrays: channel.Named) -> Reply:
        self.during = "forward"
        session = self.sessions[header["session"]]
        outputs = session.forward(dict(arrays))
        return self._told(session, [(str(i), output) for i, output in enumerate(outputs)])

    def _gradients(self, header: dict[str, Any], arrays: channel.Named) -> Reply:
        self.during = "backward"
        session = self.sessions[header["session"]]
        count = len(arrays) - header["last"]
        found = session.gradients(dict(arrays[:count]), [array for _, array in arrays[count:]])
        return self._told(session, list(found.items()))

    def _survey(self, header: dict[str, Any], arrays: channel.Named) -> Reply:
        self.during = "forward"
        session = self.sessions[header["session"]]
        found = asdict(session.survey(dict(arrays)))
        return {"state": _state(session), "survey": found}, []

    def _probe(self, header: dict[str, Any], arrays: channel.Named) -> Reply:
        return {"tried": probe(header["targets"], header["wanted"])}, []

    def _told(self, session: Session, named: channel.Named, last: int = 0) -> Reply:
        return {"state": _state(session), "last": last}, named


def _state(session: Session) -> dict[str, Any]:
    return {
        "during": session.code.during,
        "output_names": list(session.output_names),
        "upstream": list(session.upstream),
        "wrt": list(session.wrt),
        "claimed": sorted(session.claimed),
        "optional": sorted(session.parameters.optional),
        "notes": list(session.notes),
        "precision": session.precision,
        "built": session.built is not None,
    }
