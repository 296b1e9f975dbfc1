"""The pages of the reference: a section for each part of a class, its parameters in groups, and an anchor for each parameter."""

from docutils import nodes
from sphinx import addnodes

from sksoftmax.parameters import PARAMETER_GROUPS

PARTS = ["Examples", "Parameters", "Attributes", "Methods", "Notes", "References"]  # in the order of the page
GROUPED = "sksoftmax.SoftmaxMLPClassifier"


def arrange(app, document):
    """Give each part of a class a section, so that the page's contents lists it. Runs before the contents is collected."""
    page = app.env.current_document.docname
    if not page.startswith("api/"):
        return
    for entry in list(document.findall(addnodes.desc)):
        if entry["desctype"] == "class":
            parts = parts_of(entry)
            name = entry[0]["ids"][0]
            if name == GROUPED:
                parts["Parameters"] = grouped(app, page, parts["Parameters"])
                link_names_of_groups(entry)
            entry["no-contents-entry"] = True  # the page's title is the name of the class
            section = entry.parent
            section += [make_section(title, parts[title]) for title in PARTS if title in parts]


def parts_of(entry):
    """Take the parts out of the description of a class: title → nodes."""
    content, parts, current = entry[-1], {}, None
    for node in list(content):
        if isinstance(node, nodes.rubric):
            current = node.astext()
            content.remove(node)
        elif isinstance(node, addnodes.desc | addnodes.index):
            content.remove(node)
            parts.setdefault("Methods", []).append(node)
        elif isinstance(node, nodes.field_list):
            content.remove(node)
            parts |= {field[0].astext(): list(field[1]) for field in node}
        elif current:
            content.remove(node)
            parts.setdefault(current, []).append(node)
    return parts


def make_section(title, children):
    """A section whose anchor is its title."""
    anchor = nodes.make_id(title)
    return nodes.section("", nodes.title("", title), *children, ids=[anchor], names=[anchor])


def grouped(app, page, children):
    """The parameters in a section for each group, with an anchor, and a label that other pages can refer to."""
    items = {item[0][0].astext(): item for item in children[0]}
    for name, item in items.items():
        anchor = f"parameter-{name}"
        item[0]["ids"].append(anchor)
        link = nodes.reference("", "#", refid=anchor, internal=True, classes=["headerlink"], reftitle="Link to this parameter")
        item[1 if isinstance(item[1], nodes.classifier) else 0] += link
        app.env.domains.standard_domain.note_hyperlink_target(anchor, page, anchor, name)
    sections = []
    for title, names in PARAMETER_GROUPS.items():
        entries = nodes.definition_list("", *[items.pop(name) for name in names], classes=["simple"])
        sections.append(make_section(title, [entries]))
    assert not items, f"parameters without a group: {list(items)}"
    return sections


def link_names_of_groups(entry):
    """Make links of the names in the table of groups at the top of the page."""
    for row in next(entry.findall(nodes.table)).findall(nodes.row):
        paragraph = row[1][0]
        names = paragraph.astext().replace(",", " ").split()
        links = [nodes.reference("", "", nodes.literal("", name), refid=f"parameter-{name}", internal=True) for name in names]
        paragraph.clear()
        for i, link in enumerate(links):
            paragraph += [nodes.Text(", "), link] if i else [link]
