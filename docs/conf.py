"""The configuration of the site: python -m sphinx -W -j 2 docs docs/_build. It needs the extra `docs`, and no network."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import sksoftmax

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["MATPLOTLIBRC"] = str(HERE / "site.mplstyle")  # also for the pages' kernels
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])  # for the pages' kernels

from alternative_texts import add_alternative_texts  # noqa: E402
from gallery_pictures import Scraper, write_thumbnails  # noqa: E402
from guide_links import add_guide_links  # noqa: E402
from inventories import write_inventories  # noqa: E402
from overview import write_overview  # noqa: E402
from reference import arrange  # noqa: E402

project = "sksoftmax"
author = copyright = "the sksoftmax developers"
version = release = sksoftmax.__version__
extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.extlinks",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "gallery/*.ipynb", "gallery/*.py", "jupyter_execute"]
nitpicky = False

# Pages whose code runs in the build
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_update_mathjax = False

# Mathematics, by the files of MathJax 3 in the package sphinx-mathjax-offline: no network
MATHJAX = Path(find_spec("sphinx-mathjax-offline").submodule_search_locations[0]) / "static" / "mathjax"
MATHJAX_FONTS = "output/chtml/fonts/woff-v2"
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {
    "options": {
        "enableMenu": False,
        "ignoreHtmlClass": "bd-container|mathjax_ignore",
        "processHtmlClass": "mathjax_process|math|output_area",
    },
}

# The reference
extlinks = {"arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s")}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
intersphinx_mapping = write_inventories(HERE / "_build" / "inventories")
intersphinx_disabled_reftypes = ["std:*"]

# The gallery
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"cluster\.py",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 20,
    "remove_config_comments": True,
    "plot_gallery": True,
    "within_subsection_order": "FileNameSortKey",
    "minigallery_sort_order": "gallery_pictures.order",
    "image_scrapers": (Scraper(),),
    "reset_modules": ("gallery_pictures.use_style",),
    "parallel": 2,
    "doc_module": ("sksoftmax",),
    "backreferences_dir": "gallery/backreferences",
    "write_computation_times": False,
    "copyfile_regex": r".*\.rst",
    "capture_repr": (),
}

# The theme
html_theme = "pydata_sphinx_theme"
html_title = "sksoftmax"
html_logo = html_favicon = "_static/logo.svg"
html_context = {"default_mode": "auto"}
html_static_path = ["_static", write_overview(HERE / "_build" / "pictures")]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_show_sourcelink = False
html_use_index = html_domain_indices = False
html_theme_options = {
    "navbar_align": "left",
    "logo": {"text": "sksoftmax"},
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {name: [] for name in sorted({page.stem for page in HERE.glob("*.md")} - {"api"})} | {"gallery/index": []}
templates_path = []


def copy_mathjax(app, exception):
    """Copy MathJax and its fonts into the site."""
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "mathjax"
        shutil.copytree(MATHJAX / MATHJAX_FONTS, target / MATHJAX_FONTS, dirs_exist_ok=True)


def setup(app):
    """Register what this site does itself."""
    (Path(app.outdir) / "_static" / "mathjax").mkdir(parents=True, exist_ok=True)
    shutil.copy(MATHJAX / "tex-chtml.js", Path(app.outdir) / "_static" / "mathjax")
    app.connect("builder-inited", write_thumbnails, priority=900)  # after the gallery is built
    app.connect("autodoc-process-docstring", add_guide_links, priority=400)  # before numpydoc
    app.connect("doctree-read", arrange, priority=400)  # before the contents is collected
    app.connect("doctree-read", add_alternative_texts, priority=400)
    app.connect("build-finished", copy_mathjax)
