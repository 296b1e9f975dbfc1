# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A loop, a product and a draw, compiled."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from numpy.random cimport bitgen_t
from scipy.linalg.cython_blas cimport dgemm, sgemm

cdef extern from "loops.h" nogil:
    void relu_float(float *z, ptrdiff_t n)
    void relu_double(double *z, ptrdiff_t n)
    float total_float(const float *z, ptrdiff_t n)
    double total_double(const double *z, ptrdiff_t n)

ctypedef fused real:
    float
    double


def relu(real[::1] z):
    """Set what is negative to 0, in place."""
    with nogil:
        if real is float:
            relu_float(&z[0], z.shape[0])
        else:
            relu_double(&z[0], z.shape[0])


def total(const real[::1] z):
    """The sum of z."""
    cdef real s
    with nogil:
        if real is float:
            s = total_float(&z[0], z.shape[0])
        else:
            s = total_double(&z[0], z.shape[0])
    return s


def product(real[:, ::1] A, real[:, ::1] B, real[:, ::1] out):
    """Write A B into `out`. BLAS counts by columns, so it computes outᵀ = Bᵀ Aᵀ."""
    cdef int m = <int> A.shape[0], k = <int> A.shape[1], n = <int> B.shape[1]
    cdef real one = 1, zero = 0
    with nogil:
        if real is float:
            sgemm(b"n", b"n", &n, &m, &k, &one, &B[0, 0], &n, &A[0, 0], &k, &zero, &out[0, 0], &n)
        else:
            dgemm(b"n", b"n", &n, &m, &k, &one, &B[0, 0], &n, &A[0, 0], &k, &zero, &out[0, 0], &n)


def uniforms(bit_generator, double[::1] out):
    """Fill `out` with the next numbers of `Generator(bit_generator).random()`."""
    cdef bitgen_t *state = <bitgen_t *> PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")
    cdef Py_ssize_t i
    with bit_generator.lock, nogil:
        for i in range(out.shape[0]):
            out[i] = state.next_double(state.state)
