"""The configuration of the site: python -m sphinx -W --keep-going docs docs/_build. It needs the extra `docs`, and no network."""

import os
import shutil
import sys
from pathlib import Path

import jupyter_server_mathjax

import sksoftmax

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])  # for the pages' kernels

from guide_links import add_guide_links  # noqa: E402

project = "sksoftmax"
author = copyright = "the sksoftmax developers"
version = release = sksoftmax.__version__
extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.extlinks",
    "sphinx.ext.mathjax",
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

# Mathematics, by files of the package jupyter_server_mathjax: no network
MATHJAX = Path(jupyter_server_mathjax.__file__).parent / "static"
mathjax_path = "mathjax/MathJax.js"
mathjax2_config = {
    "config": ["TeX-AMS-MML_HTMLorMML-full.js"],
    "MMLorHTML": {"prefer": "HTML"},
    "tex2jax": {"inlineMath": [["\\(", "\\)"]], "processClass": "tex2jax_process|mathjax_process|math|output_area"},
    "HTML-CSS": {"availableFonts": [], "preferredFont": None, "webFont": "STIX-Web", "imageFont": None},
    "messageStyle": "none",
    "showMathMenu": False,
}

# The reference
extlinks = {"arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s")}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_member_order = "groupwise"
autodoc_typehints = "none"

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
html_context = {"default_mode": "light"}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "logo": {"text": "sksoftmax"},
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {name: [] for name in sorted({page.stem for page in HERE.glob("*.md")} | {"gallery/index"})}
templates_path = []


def copy_mathjax(app, exception):
    """Copy MathJax's files into the site."""
    if exception is None and app.builder.format == "html":
        shutil.copytree(MATHJAX, Path(app.outdir) / "_static" / "mathjax", dirs_exist_ok=True)


def setup(app):
    """Register what this site does itself."""
    (Path(app.outdir) / "_static" / "mathjax").mkdir(parents=True, exist_ok=True)
    shutil.copy(MATHJAX / "MathJax.js", Path(app.outdir) / "_static" / "mathjax" / "MathJax.js")
    app.connect("autodoc-process-docstring", add_guide_links, priority=400)  # before numpydoc
    app.connect("build-finished", copy_mathjax)
