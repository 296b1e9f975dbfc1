/* Loops over numbers, for float and double. The compiler vectorizes them. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h> /* says whether the C library is glibc */
#include <string.h>

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
#define INLINE static __forceinline
#else
#define RESTRICT restrict
#define PRAGMA(text) _Pragma(#text)
#define SUMMING(s) PRAGMA(omp simd reduction(+ : s))
#define INLINE static inline __attribute__((always_inline))
#endif

typedef ptrdiff_t size;

#define LEAKY_RELU_SLOPE 0.1
#define SELU_ALPHA 1.6732632423543772
#define SELU_SCALE 1.0507009873554805
#define RADIAL_BLOCK 1024 /* units computed at once, which fit the fastest cache */

/* exp(x) − 1 = 2ᵏ (q + 1) − 1 with x = k log 2 + r, |r| ≤ ½ log 2, and q = exp(r) − 1 by its Taylor series. Adding and subtracting a
   large number rounds x / log 2 to k, and leaves k in the last bits. NaN stays NaN; x is kept where 2ᵏ is a normal number. */
INLINE void split_float(float x, float *q, float *power) {
    union { float number; uint32_t bits; } k;
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    k.number = x * 1.44269504f + 12582912.0f;
    float n = k.number - 12582912.0f, r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float s = 1.0f / 5040;
    s = s * r + 1.0f / 720;
    s = s * r + 1.0f / 120;
    s = s * r + 1.0f / 24;
    s = s * r + 1.0f / 6;
    s = s * r + 0.5f;
    *q = s * r * r + r;
    k.bits = (k.bits - 0x4B400000u + 127) << 23;
    *power = k.number;
}
INLINE void split_double(double x, double *q, double *power) {
    union { double number; uint64_t bits; } k;
    x = x < -708.0 ? -708.0 : x > 709.0 ? 709.0 : x;
    k.number = x * 1.4426950408889634 + 6755399441055744.0;
    double n = k.number - 6755399441055744.0, r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
    double s = 1.0 / 6227020800.0;
    s = s * r + 1.0 / 479001600;
    s = s * r + 1.0 / 39916800;
    s = s * r + 1.0 / 3628800;
    s = s * r + 1.0 / 362880;
    s = s * r + 1.0 / 40320;
    s = s * r + 1.0 / 5040;
    s = s * r + 1.0 / 720;
    s = s * r + 1.0 / 120;
    s = s * r + 1.0 / 24;
    s = s * r + 1.0 / 6;
    s = s * r + 0.5;
    *q = s * r * r + r;
    k.bits = (k.bits - UINT64_C(0x4338000000000000) + 1023) << 52;
    *power = k.number;
}
#define TERMS_float 9
#define TERMS_double 18

/* Each activation is a line: its name, its value h at z, and its derivative. */
#define ACTIVATIONS(X)                                                                                                \
    X(identity, z, 1)                                                                                                 \
    X(relu, z < 0 ? 0 : z, h > 0 ? 1 : 0)                                                                             \
    X(leaky_relu, z < 0 ? (REAL)LEAKY_RELU_SLOPE * z : z, h > 0 ? 1 : (REAL)LEAKY_RELU_SLOPE)                         \
    X(elu, z > 0 ? z : EXPM1(z), h > 0 ? 1 : h + 1)                                                                   \
    X(selu, z > 0 ? (REAL)SELU_SCALE * z : (REAL)(SELU_SCALE * SELU_ALPHA) * EXPM1(z),                                \
      h < 0 ? h + (REAL)(SELU_SCALE * SELU_ALPHA) : (REAL)SELU_SCALE)                                                 \
    X(tanh, EXPM1(2 * z) / (EXPM1(2 * z) + 2), 1 - h * h)                                                             \
    X(logistic, SIGMA(z), h * (1 - h))                                                                                \
    X(softplus, SOFTPLUS(z), SIGMA(z))                                                                                \
    X(silu, z * SIGMA(z), SIGMA(z) + h * (1 - SIGMA(z)))                                                              \
    X(gelu, z * NORMAL(z), NORMAL(z) + z * EXP(-z * z / 2) * (REAL)0.3989422804014327)                                \
    X(mish, z * TANH_SOFTPLUS(z), TANH_SOFTPLUS(z) + z * (1 - TANH_SOFTPLUS(z) * TANH_SOFTPLUS(z)) * SIGMA(z))
#define NAME(name, value, slope) #name,
static const char *const ACTIVATION_NAMES[] = {ACTIVATIONS(NAME) NULL};

#define REAL float
#define OF(name) name##_float
#define SQRT sqrtf
#define ABS fabsf
#include "loops_of_type.h"
#undef REAL
#undef OF
#undef SQRT
#undef ABS
#define REAL double
#define OF(name) name##_double
#define SQRT sqrt
#define ABS fabs
#include "loops_of_type.h"
#undef REAL
#undef OF
#undef SQRT
#undef ABS

/* The function for the type of an array. */
#define FOR(array, name) _Generic((array), float *: name##_float, double *: name##_double)
#define activate(k, Z, D, b, n, units) FOR(Z, activate)(k, Z, D, b, n, units)
#define add_bias(Z, b, n, units) FOR(Z, add_bias)(Z, b, n, units)
#define multiply(d, D, n) FOR(d, multiply)(d, D, n)
#define sum_rows(d, out, n, units) FOR(d, sum_rows)(d, out, n, units)
#define drop(H, D, random, threshold, n) FOR(H, drop)(H, D, random, threshold, n)
#define softmax_loss(z, y, soft, share, smoothing, prior, work, n, K) FOR(z, softmax_loss)(z, y, soft, share, smoothing, prior, work, n, K)
#define logistic_loss(z, y, share, smoothing, prior, work, n, L) FOR(z, logistic_loss)(z, y, share, smoothing, prior, work, n, L)
#define sum_squares(w, n) FOR(w, sum_squares)(w, n)
#define largest(w, n) FOR(w, largest)(w, n)
#define scale(w, factor, n) FOR(w, scale)(w, factor, n)
#define add(a, w, factor, keep, n) FOR(a, add)(a, w, factor, keep, n)
#define adam(w, g, m, v, rates, b1, b2, e, rate, kept, n) FOR(w, adam)(w, g, m, v, rates, b1, b2, e, rate, kept, n)
#define sgd(w, g, v, rates, momentum, nesterov, rate, kept, n) FOR(w, sgd)(w, g, v, rates, momentum, nesterov, rate, kept, n)
#define row_product(data, columns, count, W, out, units) FOR(W, row_product)(data, columns, count, W, out, units)
#define radial_units(X, centers, out, factor, width, n, d, m) FOR(X, radial_units)(X, centers, out, factor, width, n, d, m)
#define add_row(data, columns, count, d, d_W, units) FOR(d, add_row)(data, columns, count, d, d_W, units)
