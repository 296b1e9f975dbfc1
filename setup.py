"""Compile the engine if a C compiler works; otherwise install without it. All other settings are in pyproject.toml."""

import os
import sys
import sysconfig

import Cython  # noqa: F401 (setuptools would take a missing Cython for a compiler that fails)
import numpy as np
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

UNIX = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd"]  # none may change infinities, NaN or the order of sums
FLAGS = {"unix": UNIX, "mingw32": UNIX, "msvc": ["/O2", "/std:c11"]}  # by the type of the compiler
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")  # a free-threaded Python has no stable ABI
WITHOUT = (
    "sksoftmax: no C compiler works here, so training runs in pure NumPy, which is slower. For the compiled engine, "
    "install a C compiler and repeat this installation with --force-reinstall --no-deps --no-cache-dir."
)


class BuildEngine(build_ext):
    """Builds the extension, or says in one line that there is none; SKSOFTMAX_REQUIRE_EXTENSION=1 makes that an error."""

    def run(self):
        """Build, or let the later commands expect no file of the extension."""
        try:
            super().run()
        except (CCompilerError, ExecError, PlatformError) as error:
            if os.environ.get("SKSOFTMAX_REQUIRE_EXTENSION"):
                raise
            self.extensions = []
            self.get_finalized_command("bdist_wheel").root_is_pure = True  # the wheel fits every system
            print(error, WITHOUT, sep="\n", file=sys.stderr)

    def build_extensions(self):
        """Build with the flags of this compiler."""
        for extension in self.extensions:
            extension.extra_compile_args = FLAGS.get(self.compiler.compiler_type, [])
        super().build_extensions()


kernels = Extension(
    "sksoftmax.engines._kernels",
    ["sksoftmax/engines/_kernels.pyx"],
    depends=["sksoftmax/engines/loops.h", "sksoftmax/engines/loops_of_type.h", "setup.py"],
    include_dirs=["sksoftmax/engines", np.get_include()],
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if STABLE else [],  # Python 3.11, the oldest supported one
    py_limited_api=STABLE,
)
kernels.cython_c_in_temp = True  # the generated C goes to build/
setup(
    ext_modules=[kernels],
    cmdclass={"build_ext": BuildEngine},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
