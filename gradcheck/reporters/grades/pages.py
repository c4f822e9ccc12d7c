"""`feedback/<slug>.md` and `.html`: what a student reads, as a page."""

from __future__ import annotations

from gradcheck.reporters.escape import clean, in_html, in_markdown
from gradcheck.reporters.grades.student import CheckView, StudentView, points_text

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1b1f23;"
    "background:#fff}h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.5rem 0 .3rem}pre{background:#f4f5f7;"
    "padding:.7rem 1rem;overflow-x:auto;white-space:pre-wrap;border-left:3px solid #b35900}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left}td.n,th.n{text-align:right}"
    ".right{color:#116329}.wrong{color:#a40e26}.stamp{border:2px solid #a40e26;padding:.5rem 1rem}"
    ".bar{background:#57606a;height:.8rem;display:inline-block;min-width:1px}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}pre{background:#161b22}"
    ".right{color:#56d364}.wrong{color:#ff7b72}}"
)


def render_markdown(view: StudentView) -> str:
    """The page in CommonMark; details stand in indented blocks, where nothing has a meaning."""
    lines = [f"# {in_markdown(view.title)}", ""]
    if view.stamp:
        lines += [f"**{in_markdown(view.stamp)}**", ""]
    lines += [f"{in_markdown(view.student)}: **{view.score}**", ""]
    if view.summary:
        lines += [in_markdown(view.summary), ""]
    for check in view.checks:
        lines += [f"## {in_markdown(check.label)}: {check.outcome}, {_score(check)}", ""]
        if check.lines:
            lines += [*(f"    {clean(line)}" for line in check.lines), ""]
    return "\n".join(lines)


def render_html(view: StudentView) -> str:
    """The page by itself: no script, nothing loaded from elsewhere."""
    parts = [f"<h1>{in_html(view.title)}</h1>"]
    if view.stamp:
        parts.append(f'<p class="stamp"><strong>{in_html(view.stamp)}</strong></p>')
    parts.append(f"<p>{in_html(view.student)}: <strong>{view.score}</strong></p>")
    if view.summary:
        parts.append(f"<p>{in_html(view.summary)}</p>")
    for check in view.checks:
        kind = "right" if check.is_right else "wrong"
        parts.append(f'<h2>{in_html(check.label)}: <span class="{kind}">{check.outcome}</span>, {_score(check)}</h2>')
        if check.lines:
            parts.append("<pre>" + "\n".join(in_html(line) for line in check.lines) + "</pre>")
    return page(view.title, parts)


def page(title: str, parts: list[str]) -> str:
    """A whole HTML page of parts that are HTML already; the title is text."""
    body = "\n".join(parts)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{in_html(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _score(check: CheckView) -> str:
    return f"{points_text(check.points)} of {points_text(check.max_points)}"
