/* Loops over numbers, for float and double. The compiler vectorizes them. */
#include <stddef.h>
#include <stdlib.h> /* says whether the C library is glibc */

/* VARIANTS builds a function for several instruction sets; the loader takes the best that the processor has. This needs a linker and
   a C library that know ifunc (glibc; not musl, macOS or Windows) and a compiler that knows the levels of x86-64. */
#if defined(__x86_64__) && defined(__GLIBC__) && (defined(__clang__) ? __clang_major__ >= 18 : __GNUC__ >= 12)
#define VARIANTS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VARIANTS
#endif

/* SUMMING(s) before a loop lets the compiler add to s in several lanes. Nothing else may change the order of floating-point operations,
   so infinities, NaN and roundings by a large constant stay what they are. */
#ifdef _MSC_VER
#define RESTRICT __restrict
#define SUMMING(s)
#else
#define RESTRICT restrict
#define PRAGMA(text) _Pragma(#text)
#define SUMMING(s) PRAGMA(omp simd reduction(+ : s))
#endif

#define LOOPS(REAL)                                                                      \
    VARIANTS static void relu_##REAL(REAL *RESTRICT z, ptrdiff_t n) {                    \
        for (ptrdiff_t i = 0; i < n; i++) z[i] = z[i] < 0 ? 0 : z[i]; /* keeps a NaN */  \
    }                                                                                    \
    VARIANTS static REAL total_##REAL(const REAL *RESTRICT z, ptrdiff_t n) {             \
        REAL s = 0;                                                                      \
        SUMMING(s) for (ptrdiff_t i = 0; i < n; i++) s += z[i];                          \
        return s;                                                                        \
    }

LOOPS(float)
LOOPS(double)
