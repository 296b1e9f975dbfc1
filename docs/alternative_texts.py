"""Alternative texts for pictures that a cell draws: a picture without one of its own is described by the section it is in."""

from docutils import nodes


def add_alternative_texts(app, document):
    """Describe each picture of a page that has no text of its own."""
    for image in document.findall(nodes.image):
        if not image.get("alt"):
            section = image
            while section is not None and not isinstance(section, nodes.section):
                section = section.parent
            heading = section.next_node(nodes.title).astext() if section is not None else "this page"
            image["alt"] = f"Picture on: {heading}"
