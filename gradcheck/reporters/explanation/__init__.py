"""Explanations as text, as a Mermaid diagram, as a page; each `render(explanation) -> str`."""
