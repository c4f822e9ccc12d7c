"""The report for GitHub Actions: annotations on the lines in question, and a summary for the page of the job.

Annotations are workflow commands on stdout; the summary is Markdown, for the file that GITHUB_STEP_SUMMARY names.
"""

from __future__ import annotations

from gradcheck.model.report import ExitCode, Report
from gradcheck.reporters.escape import in_command, in_log, in_property
from gradcheck.reporters.markdown import render_markdown
from gradcheck.reporters.messages import Message, all_messages, outcome
from gradcheck.reporters.numbers import plural
from gradcheck.reporters.view import view

MOST = 10  # annotations of one step that GitHub shows (orgs/community, discussion 26680); the others would be lost
SUMMARY_BYTES = 1024 * 1024 - 4096  # a step may write 1 MiB (GitHub docs, workflow commands); over it, all is refused


def render_github(report: Report, exit_code: ExitCode | None = None) -> str:
    """Workflow commands, at most ten, what is worst first; how many more there are; the outcome.

    exit_code : see `messages.outcome`
    """
    messages = all_messages(report, view(report)[0])
    lines = [_command(message) for message in messages[:MOST]]
    if len(messages) > MOST:
        lines.append(f"{plural(len(messages) - MOST, 'more message')}; the summary of the job has them all")
    return "\n".join([*lines, in_log(outcome(report, exit_code))]) + "\n"


def render_summary(report: Report, exit_code: ExitCode | None = None) -> str:
    """The report in Markdown; of one that is too long the beginning, which has what is wrong."""
    text = render_markdown(report, exit_code)
    if len(text.encode()) <= SUMMARY_BYTES:
        return text
    kept = text.encode()[:SUMMARY_BYTES].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n\nThe rest is left out: a summary holds 1 MiB.\n"


def _command(message: Message) -> str:
    level = "warning" if message.gravity == "undecided" else "error"
    place = f"file={in_property(message.file)},line={message.line},title={in_property(message.title)}"
    return f"::{level} {place}::{in_command(chr(10).join(message.lines) or message.title)}"
