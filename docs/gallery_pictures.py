"""Pictures of the gallery: their style, their alternative texts (gallery.toml), and thumbnails that show one panel."""

import re
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
from sphinx_gallery.scrapers import matplotlib_scraper
from sphinx_gallery.utils import scale_image

HERE = Path(__file__).parent
ORDER = re.findall(r"\.\./examples/(\w+)\.py", (HERE.parent / "examples" / "index.rst").read_text(encoding="utf-8"))
TEXTS = tomllib.loads((HERE / "gallery.toml").read_text(encoding="utf-8"))
PANELS = HERE / "gallery" / "images" / "panels"
SIZE = (400, 280)  # of a thumbnail


def use_style(gallery_conf, file_name):
    """Reset Matplotlib before each example, to the site's colors."""
    plt.rcdefaults()
    plt.style.use(HERE / "site.mplstyle")


def order(path):
    """The place of an example in the gallery."""
    name = Path(path).stem
    return ORDER.index(name) if name in ORDER else len(ORDER)


class Scraper:
    """Matplotlib's scraper, which also describes each picture and saves the panel of the thumbnail."""

    def __repr__(self):
        """A fixed text, so that an unchanged configuration is recognized."""
        return "Scraper"

    def __call__(self, block, block_vars, gallery_conf, **kwargs):
        """Save the open figures and return the text of the page that shows them."""
        name, first = Path(block_vars["src_file"]).stem, len(block_vars["image_path_iterator"])
        for i, number in enumerate(plt.get_fignums(), first + 1):
            if i == TEXTS[name].get("thumbnail", 1):
                save_panel(plt.figure(number), PANELS / f"{name}.png")
        text = matplotlib_scraper(block, block_vars, gallery_conf, **kwargs)
        texts = iter(TEXTS[name]["alt"][first:])
        return re.sub(r"(:alt: ).*", lambda found: found[1] + next(texts), text)


def save_panel(figure, path):
    """Save the first panel of a figure, without title and legend, and smaller, so that a thumbnail's text is legible."""
    panel, *others = figure.axes
    size, hidden = figure.get_size_inches(), [*others, panel.title, *filter(None, [panel.get_legend()])]
    for artist in hidden:
        artist.set_visible(False)
    figure.set_size_inches(0.75 * size)
    figure.canvas.draw()
    box = panel.get_tightbbox().transformed(figure.dpi_scale_trans.inverted()).padded(0.05)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches=box, dpi=200)
    figure.set_size_inches(size)
    for artist in hidden:
        artist.set_visible(True)


def write_thumbnails(app):
    """Replace the gallery's thumbnails, which show whole figures, by those of one panel."""
    for panel in PANELS.glob("*.png"):
        scale_image(str(panel), str(PANELS.parent / "thumb" / f"sphx_glr_{panel.stem}_thumb.png"), *SIZE)
