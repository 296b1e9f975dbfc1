/* The loops for numbers of the type REAL; OF(name) is the function's name for this type. `loops.h` includes it for each type.

   Arrays of a layer, (n, units), are stored unit by unit: number [r, u] is at u * n + r. */

INLINE REAL OF(expm1)(REAL x) {
    REAL q, power;
    OF(split)(x, &q, &power);
    return power * q + (power - 1);
}

INLINE REAL OF(exp)(REAL x) {
    REAL q, power;
    OF(split)(x, &q, &power);
    return power * q + power;
}

INLINE REAL OF(sigma)(REAL z) { return 1 / (1 + OF(exp)(-z)); }

/* log(1 + exp(z)) = max(z, 0) + log(1 + u) with u = exp(−|z|), and log(1 + u) = 2 Σ s^(2i + 1) / (2i + 1) with s = u / (2 + u). */
INLINE REAL OF(softplus)(REAL z) {
    REAL u = OF(exp)(z > 0 ? -z : z), s = u / (2 + u), square = s * s, sum = (REAL)1 / (2 * OF(TERMS) + 1);
    for (int i = OF(TERMS) - 1; i >= 0; i--) sum = sum * square + (REAL)1 / (2 * i + 1);
    return (z < 0 ? 0 : z) + 2 * s * sum;
}

INLINE REAL OF(normal)(REAL z) { return (REAL)(0.5 * erfc(-z * 0.7071067811865476)); }

/* tanh(log(1 + e^z)) = (e² + 2e) / (e² + 2e + 2); from z = 20 on it is 1. */
INLINE REAL OF(tanh_softplus)(REAL z) {
    REAL e = OF(exp)(z > 20 ? 20 : z), w = e * (e + 2);
    return w / (w + 2);
}

#define EXP OF(exp)
#define EXPM1 OF(expm1)
#define SIGMA OF(sigma)
#define SOFTPLUS OF(softplus)
#define NORMAL OF(normal)
#define TANH_SOFTPLUS OF(tanh_softplus)
#define ACTIVATE(name, value, slope)                                                                              \
    VARIANTS static void OF(activate_##name)(REAL *RESTRICT Z, REAL *RESTRICT D, REAL bias, size n) {             \
        for (size r = 0; r < n; r++) {                                                                            \
            REAL z = Z[r] + bias, h = value;                                                                      \
            D[r] = slope;                                                                                         \
            Z[r] = h;                                                                                             \
        }                                                                                                         \
    }
ACTIVATIONS(ACTIVATE)
#undef ACTIVATE
#undef EXP
#undef EXPM1
#undef SIGMA
#undef SOFTPLUS
#undef NORMAL
#undef TANH_SOFTPLUS

/* Writes H over Z, after adding the bias b, and H' to D. */
static void OF(activate)(int activation, REAL *Z, REAL *D, const REAL *b, size n, size units) {
#define ENTRY(name, value, slope) OF(activate_##name),
    static void (*const functions[])(REAL *RESTRICT, REAL *RESTRICT, REAL, size) = {ACTIVATIONS(ENTRY)};
#undef ENTRY
    for (size u = 0; u < units; u++) functions[activation](Z + u * n, D + u * n, b[u], n);
}

VARIANTS static void OF(add_bias)(REAL *RESTRICT Z, const REAL *RESTRICT b, size n, size units) {
    for (size u = 0; u < units; u++)
        for (size r = 0; r < n; r++) Z[u * n + r] += b[u];
}

VARIANTS static void OF(multiply)(REAL *RESTRICT d, const REAL *RESTRICT D, size n) {
    for (size i = 0; i < n; i++) d[i] *= D[i];
}

/* The sum over rows of each unit's derivative. */
VARIANTS static void OF(sum_rows)(const REAL *RESTRICT d, REAL *RESTRICT out, size n, size units) {
    for (size u = 0; u < units; u++) {
        REAL s = 0;
        SUMMING(s) for (size r = 0; r < n; r++) s += d[u * n + r];
        out[u] = s;
    }
}

/* Dropout: H and H' become 0 where the random number is below the threshold, and grow by 1 / (1 − rate) elsewhere. */
VARIANTS static void OF(drop)(REAL *RESTRICT H, REAL *RESTRICT D, const uint16_t *RESTRICT random, int threshold, size n) {
    REAL kept = (REAL)65536 / (65536 - threshold);
    for (size i = 0; i < n; i++) {
        REAL factor = random[i] >= threshold ? kept : 0;
        H[i] *= factor;
        D[i] *= factor;
    }
}

/* The mean softmax cross-entropy of n rows of K logits, over which p − y is written, times each row's share. `y` has labels, or `soft`
   has a row of probabilities for each row, stored class by class. `work` has room for 3 n numbers. */
VARIANTS static double OF(softmax_loss)(REAL *RESTRICT z, const size *RESTRICT y, const REAL *RESTRICT soft, const REAL *RESTRICT share,
                                        REAL smoothing, const REAL *RESTRICT prior, REAL *RESTRICT work, size n, size K) {
    REAL *RESTRICT most = work, *RESTRICT total = work + n, *RESTRICT dot = work + 2 * n, kept = 1 - smoothing;
    for (size r = 0; r < n; r++) most[r] = z[r], total[r] = dot[r] = 0;
    for (size k = 1; k < K; k++)
        for (size r = 0; r < n; r++) most[r] = z[k * n + r] > most[r] ? z[k * n + r] : most[r];
    for (size k = 0; k < K; k++)
        for (size r = 0; r < n; r++) z[k * n + r] -= most[r];
    if (smoothing != 0)
        for (size k = 0; k < K; k++)
            for (size r = 0; r < n; r++) dot[r] += smoothing * prior[k] * z[k * n + r];
    if (soft)
        for (size k = 0; k < K; k++)
            for (size r = 0; r < n; r++) dot[r] += kept * soft[k * n + r] * z[k * n + r];
    else
        for (size r = 0; r < n; r++) dot[r] += kept * z[y[r] * n + r];
    for (size k = 0; k < K; k++)
        for (size r = 0; r < n; r++) {
            REAL e = OF(exp)(z[k * n + r]);
            z[k * n + r] = e;
            total[r] += e;
        }
    double loss = 0;
    for (size r = 0; r < n; r++) {
        loss += share[r] * (log(total[r]) - dot[r]);
        total[r] = share[r] / total[r];
    }
    for (size k = 0; k < K; k++) {
        REAL fixed = smoothing != 0 ? smoothing * prior[k] : 0;
        for (size r = 0; r < n; r++) z[k * n + r] = z[k * n + r] * total[r] - fixed * share[r];
    }
    if (soft)
        for (size k = 0; k < K; k++)
            for (size r = 0; r < n; r++) z[k * n + r] -= kept * soft[k * n + r] * share[r];
    else
        for (size r = 0; r < n; r++) z[y[r] * n + r] -= kept * share[r];
    return loss;
}

/* The same for units that each answer yes or no: the sum over L units of log(1 + exp(z)) − y z. */
VARIANTS static double OF(logistic_loss)(REAL *RESTRICT z, const REAL *RESTRICT y, const REAL *RESTRICT share, REAL smoothing,
                                         const REAL *RESTRICT prior, REAL *RESTRICT work, size n, size L) {
    REAL *RESTRICT losses = work;
    for (size r = 0; r < n; r++) losses[r] = 0;
    for (size l = 0; l < L; l++) {
        REAL fixed = smoothing != 0 ? smoothing * prior[l] : 0;
        for (size r = 0; r < n; r++) {
            REAL x = z[l * n + r], target = (1 - smoothing) * y[l * n + r] + fixed;
            losses[r] += OF(softplus)(x) - target * x;
            z[l * n + r] = (OF(sigma)(x) - target) * share[r];
        }
    }
    double loss = 0;
    for (size r = 0; r < n; r++) loss += share[r] * (double)losses[r];
    return loss;
}

VARIANTS static double OF(sum_squares)(const REAL *RESTRICT w, size n) {
    double s = 0;
    SUMMING(s) for (size i = 0; i < n; i++) s += (double)w[i] * w[i];
    return s;
}

VARIANTS static REAL OF(largest)(const REAL *RESTRICT w, size n) {
    REAL most = 0;
    for (size i = 0; i < n; i++) {
        REAL a = w[i] < 0 ? -w[i] : w[i];
        most = a > most ? a : most;
    }
    return most;
}

VARIANTS static void OF(scale)(REAL *RESTRICT w, REAL factor, size n) {
    for (size i = 0; i < n; i++) w[i] *= factor;
}

/* a ← a + factor · (w − a); also g ← g + factor · w with `keep` = 0. */
VARIANTS static void OF(add)(REAL *RESTRICT a, const REAL *RESTRICT w, REAL factor, REAL keep, size n) {
    for (size i = 0; i < n; i++) a[i] += factor * (w[i] - keep * a[i]);
}

/* Adam's step; `rates` has a factor for each number, or is NULL. */
VARIANTS static void OF(adam)(REAL *RESTRICT w, const REAL *RESTRICT g, REAL *RESTRICT m, REAL *RESTRICT v, const REAL *RESTRICT rates,
                              REAL beta_1, REAL beta_2, REAL epsilon, REAL rate, REAL kept, size n) {
    for (size i = 0; i < n; i++) {
        REAL mean = beta_1 * m[i] + g[i], square = beta_2 * v[i] + g[i] * g[i];
        m[i] = mean;
        v[i] = square;
        w[i] = kept * w[i] - (rates ? rate * rates[i] : rate) * (mean / (SQRT(square) + epsilon));
    }
}

/* A step of gradient descent with momentum. */
VARIANTS static void OF(sgd)(REAL *RESTRICT w, const REAL *RESTRICT g, REAL *RESTRICT v, const REAL *RESTRICT rates, REAL momentum,
                             int nesterov, REAL rate, REAL kept, size n) {
    for (size i = 0; i < n; i++) {
        REAL step = (rates ? rate * rates[i] : rate) * g[i], speed = momentum * v[i] - step;
        v[i] = speed;
        w[i] = kept * w[i] + (nesterov ? momentum * speed - step : speed);
    }
}

/* Sparse rows: out ← row · W and d_W ← d_W + rowᵀ d, for one row with `count` entries. */
VARIANTS static void OF(row_product)(const REAL *RESTRICT data, const int32_t *RESTRICT columns, size count, const REAL *RESTRICT W,
                                     REAL *RESTRICT out, size units) {
    for (size u = 0; u < units; u++) out[u] = 0;
    for (size i = 0; i < count; i++)
        for (size u = 0; u < units; u++) out[u] += data[i] * W[(size)columns[i] * units + u];
}

VARIANTS static void OF(add_row)(const REAL *RESTRICT data, const int32_t *RESTRICT columns, size count, const REAL *RESTRICT d,
                                 REAL *RESTRICT d_W, size units) {
    for (size i = 0; i < count; i++)
        for (size u = 0; u < units; u++) d_W[(size)columns[i] * units + u] += data[i] * d[u];
}

/* The units exp(factor · Σₖ |xₖ − cₖ|) of n rows of X, which are `width` numbers apart, at m centers, stored column by column. */
VARIANTS static void OF(radial_units)(const REAL *RESTRICT X, const REAL *RESTRICT centers, REAL *RESTRICT out, REAL factor, size width,
                                      size n, size d, size m) {
    for (size first = 0; first < m; first += RADIAL_BLOCK) {
        size count = m - first < RADIAL_BLOCK ? m - first : RADIAL_BLOCK;
        for (size r = 0; r < n; r++) {
            const REAL *x = X + r * width;
            REAL *RESTRICT h = out + r * m + first;
            for (size j = 0; j < count; j++) h[j] = 0;
            size k = 0;
            for (; k + 4 <= d; k += 4) {
                const REAL *RESTRICT a = centers + k * m + first, *RESTRICT b = a + m, *RESTRICT c = b + m, *RESTRICT e = c + m;
                for (size j = 0; j < count; j++)
                    h[j] += (ABS(x[k] - a[j]) + ABS(x[k + 1] - b[j])) + (ABS(x[k + 2] - c[j]) + ABS(x[k + 3] - e[j]));
            }
            for (; k < d; k++)
                for (size j = 0; j < count; j++) h[j] += ABS(x[k] - centers[k * m + first + j]);
            for (size j = 0; j < count; j++) h[j] = OF(exp)(factor * h[j]);
        }
    }
}
