"""The entry of BibTeX that the page on citing shows, made from CITATION.cff."""

import re
from pathlib import Path

CITATION = Path(__file__).resolve().parent.parent / "CITATION.cff"


def entry():
    """Return CITATION.cff as an entry of BibTeX, with the year once it has the date of a release."""
    text = CITATION.read_text("utf-8")
    said = dict(re.findall(r'^([\w-]+): "?(.*?)"?$', text, re.MULTILINE))
    authors = re.findall(r'^  - name: "(.*)"$', text, re.MULTILINE)
    fields = {
        "author": " and ".join(f"{{{name}}}" for name in authors),
        "title": said["title"],
        "version": said["version"],
        "year": said.get("date-released", "")[:4],
        "license": said["license"],
    }
    return "\n".join(["@software{sksoftmax,", *(f"  {name} = {{{value}}}," for name, value in fields.items() if value), "}"])
