# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""One member of a network, compiled: its training steps, its gradient and its logits.

Arrays of a layer, (n, units), are stored unit by unit, as in `nn.layers`, and rows of inputs row by row. The formulas are in
`loops.h`. BLAS counts by columns: for it W, (fan_in, fan_out) and stored row by row, is Wᵀ.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport isfinite, pow, sqrt
from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from libc.string cimport memcpy, memset
from numpy.random cimport bitgen_t
from scipy.linalg.cython_blas cimport dgemm, sgemm

import numpy as np

from sksoftmax.layout import EMBEDDING_UNITS

ctypedef fused real:
    float
    double

cdef extern from "loops.h" nogil:  # macros: the types of the arguments choose the function for float or double
    const char *ACTIVATION_NAMES[]
    void activate(int, void *Z, void *D, void *b, Py_ssize_t n, Py_ssize_t units)
    void add_bias(void *Z, void *b, Py_ssize_t n, Py_ssize_t units)
    void multiply(void *d, void *D, Py_ssize_t n)
    void sum_rows(void *d, void *out, Py_ssize_t n, Py_ssize_t units)
    void drop(void *H, void *D, uint16_t *random, int threshold, Py_ssize_t n)
    double softmax_loss(void *z, Py_ssize_t *y, void *soft, void *share, double, void *prior, void *work, Py_ssize_t n, Py_ssize_t K)
    double logistic_loss(void *z, void *y, void *share, double, void *prior, void *work, Py_ssize_t n, Py_ssize_t L)
    double sum_squares(void *w, Py_ssize_t n)
    double largest(void *w, Py_ssize_t n)
    void scale(void *w, double factor, Py_ssize_t n)
    void add(void *a, void *w, double factor, double keep, Py_ssize_t n)
    void adam(void *w, void *g, void *m, void *v, void *rates, double, double, double, double rate, double kept, Py_ssize_t n)
    void sgd(void *w, void *g, void *v, void *rates, double momentum, int nesterov, double rate, double kept, Py_ssize_t n)
    void row_product(void *data, int32_t *columns, Py_ssize_t count, void *W, void *out, Py_ssize_t units)
    void radial_units_of "radial_units" (void *X, void *centers, void *out, double factor, Py_ssize_t width, Py_ssize_t n, Py_ssize_t d, Py_ssize_t m)
    void add_row(void *data, int32_t *columns, Py_ssize_t count, void *d, void *d_W, Py_ssize_t units)

cdef enum:
    MOST_LAYERS = 64
    VECTOR = 8  # numbers of an embedded category
    SOFTMAX = 0
    LOGISTIC = 1
    ADAM = 0
    SGD = 1

assert VECTOR == EMBEDDING_UNITS
LOSSES = {"softmax": SOFTMAX, "logistic": LOGISTIC}
UPDATES = {"adam": ADAM, "sgd": SGD}


def activation_names():
    """The names of the activations, each at its number."""
    cdef int number = 0
    found = []
    while ACTIVATION_NAMES[number] != NULL:
        found.append(ACTIVATION_NAMES[number].decode())
        number += 1
    return found


ACTIVATIONS = {name: number for number, name in enumerate(activation_names())}


cdef struct Part:  # of a flat vector: a layer's weights or biases, or the tables
    Py_ssize_t start, n
    double rate  # factor of the learning rate
    void *rates  # a factor for each number, or NULL
    double decay
    bint is_bias


cdef struct Layer:
    Py_ssize_t fan_in, units, start  # start: of its weights in the flat vector; the biases follow them
    int activation
    int threshold  # of dropout, −1 for none
    void *Z
    void *D  # the derivative of its activation


cdef void *pointer(array) except? NULL:
    """The address of an array's numbers, which must be stored one after the other; NULL for None. The caller keeps the array."""
    cdef Py_buffer buffer
    if array is None:
        return NULL
    PyObject_GetBuffer(array, &buffer, PyBUF_SIMPLE)
    PyBuffer_Release(&buffer)
    return buffer.buf


cdef class Member:
    """A member of a network: its layers, and room for passes of at most `n_rows` rows; less if it never trains.

    `layers` has a tuple for each: fan_in, units, start of its weights in the flat vector, number of its activation. `layout` is
    (n_columns, n_numbers, first column that it sees, start of the tables); `first_rows` has the first row of each table and
    the number of all rows.
    """

    cdef object owned  # arrays that pointers point to
    cdef object read
    cdef object trained
    cdef bint is_float
    cdef int n_layers
    cdef Layer[MOST_LAYERS] layers
    cdef Py_ssize_t n_columns, n_numbers, first_column, tables, n_embedded, n_inputs, n_rows
    cdef Py_ssize_t *first_rows
    cdef Py_ssize_t *codes
    cdef Py_ssize_t *row_labels
    cdef uint16_t *random
    cdef void *parameters
    cdef void *inputs
    cdef void *delta
    cdef void *other_delta
    cdef void *share
    cdef void *work
    cdef void *row_targets

    cdef void *X  # rows are read from it, or from a CSR matrix
    cdef void *data
    cdef int32_t *columns
    cdef int64_t *starts
    cdef Py_ssize_t *labels  # or targets
    cdef void *targets
    cdef void *weights  # or NULL

    cdef int loss, update, n_parts
    cdef Part[3 * MOST_LAYERS] parts
    cdef void *gradient
    cdef void *first  # the optimizer's vectors
    cdef void *second
    cdef void *average
    cdef void *prior
    cdef bitgen_t *bits
    cdef double[3] constants  # of the optimizer
    cdef double smoothing, alpha, max_norm, ema_decay

    def __init__(self, parameters, list layers, tuple layout, first_rows, Py_ssize_t n_rows, bint trains):
        dtype = parameters.dtype
        self.is_float, self.n_rows, self.n_layers, self.n_embedded = dtype == np.float32, n_rows, len(layers), len(first_rows) - 1
        self.n_columns, self.n_numbers, self.first_column, self.tables = layout
        self.n_inputs = self.n_numbers - self.first_column + VECTOR * self.n_embedded
        units = [n_units for _, n_units, *_ in layers]
        n_outputs, widest = units[len(units) - 1], max(units + [VECTOR * self.n_embedded])
        self.owned = {
            "parameters": parameters,
            "first_rows": np.ascontiguousarray(first_rows, np.intp),
            "inputs": np.empty(max(n_rows * self.n_inputs, widest), dtype),
            "layers": [np.empty(n_rows * n_units, dtype) for n_units in units],
            "slopes": [np.empty(n_rows * n_units, dtype) for n_units in units] if trains else [np.empty(n_rows * widest, dtype)],
            "deltas": np.empty((2, n_rows * widest if trains else 0), dtype),
            "rows": np.empty((4, n_rows), dtype),
            "codes": np.empty((n_rows, self.n_embedded), np.intp),
            "labels": np.empty(n_rows, np.intp),
            "targets": np.empty(n_rows * n_outputs, dtype),
            "random": np.empty(n_rows * widest // 4 + 1, np.uint64),
        }
        self.parameters, self.inputs = pointer(parameters), pointer(self.owned["inputs"])
        self.delta, self.other_delta = pointer(self.owned["deltas"][0]), pointer(self.owned["deltas"][1])
        self.share, self.work = pointer(self.owned["rows"]), pointer(self.owned["rows"][1:])
        self.first_rows = <Py_ssize_t *> pointer(self.owned["first_rows"])
        self.codes, self.row_labels = <Py_ssize_t *> pointer(self.owned["codes"]), <Py_ssize_t *> pointer(self.owned["labels"])
        self.row_targets, self.random = pointer(self.owned["targets"]), <uint16_t *> pointer(self.owned["random"])
        for i, (fan_in, n_units, start, activation) in enumerate(layers):
            Z, D = self.owned["layers"][i], self.owned["slopes"][i if trains else 0]
            self.layers[i] = Layer(fan_in, n_units, start, activation, -1, pointer(Z), pointer(D))

    def read_from(self, X, labels=None, targets=None, weights=None):
        """Take rows from X, an array stored row by row or a CSR matrix, with labels or targets, and perhaps weights."""
        is_sparse = hasattr(X, "indptr")
        data, columns, starts = (np.ascontiguousarray(X.data), np.ascontiguousarray(X.indices, np.int32), np.ascontiguousarray(X.indptr, np.int64)) if is_sparse else (None, None, None)
        self.read = (X, data, columns, starts, labels, targets, weights)
        self.X = NULL if is_sparse else pointer(X)
        self.data, self.columns, self.starts = pointer(data), <int32_t *> pointer(columns), <int64_t *> pointer(starts)
        self.labels, self.targets, self.weights = <Py_ssize_t *> pointer(labels), pointer(targets), pointer(weights)

    def train_by(self, gradient, int loss, double smoothing, prior, bits=None, thresholds=()):
        """Fill `gradient` by this loss, with dropout by these thresholds and random bits."""
        self.trained = [gradient, prior, bits]
        self.gradient, self.loss, self.smoothing, self.prior = pointer(gradient), loss, smoothing, pointer(prior)
        self.bits = NULL if bits is None else <bitgen_t *> PyCapsule_GetPointer(bits.capsule, "BitGenerator")
        for i, threshold in enumerate(thresholds):
            self.layers[i].threshold = threshold

    def update_by(self, int update, first, second, constants, list parts, double alpha, double max_norm, average, double ema_decay):
        """Update the parameters: `first`, `second` and `constants` are the optimizer's, `parts` has a tuple for each `Part`."""
        self.trained += [first, second, parts, average]
        self.update, self.n_parts = update, len(parts)
        self.first, self.second = pointer(first), pointer(second)
        for i, constant in enumerate(constants):
            self.constants[i] = constant
        for i, (start, n, rate, rates, decay, is_bias) in enumerate(parts):
            self.parts[i] = Part(start, n, rate, pointer(rates), decay, is_bias)
        self.alpha, self.max_norm, self.average, self.ema_decay = alpha, max_norm, pointer(average), ema_decay

    def steps(self, Py_ssize_t[::1] rows, Py_ssize_t[::1] sizes, double[::1] totals, double[::1] rates, double[::1] losses,
              Py_ssize_t n_before, Py_ssize_t n_averaged):
        """Take a step for each of `sizes`, the numbers of rows; note its loss, and end if it is not finite.

        `totals` are the rows' sums of weights, `n_before` is the number of earlier steps, `n_averaged` that of averaged weights.
        """
        cdef Py_ssize_t i, row = 0
        with nogil:
            for i in range(sizes.shape[0]):
                if self.is_float:
                    losses[i] = step[float](self, &rows[row], sizes[i], totals[i], rates[i], n_before + i, n_averaged + i, 0)
                else:
                    losses[i] = step[double](self, &rows[row], sizes[i], totals[i], rates[i], n_before + i, n_averaged + i, 0)
                if not isfinite(losses[i]):
                    break
                row += sizes[i]

    def add_gradient(self, Py_ssize_t[::1] rows, double total):
        """Fill the gradient with what these rows add to the loss of rows of this total weight; return what they add."""
        cdef double loss
        with nogil:
            if self.is_float:
                loss = gradient_of_rows[float](self, &rows[0], rows.shape[0], total, 0)
            else:
                loss = gradient_of_rows[double](self, &rows[0], rows.shape[0], total, 0)
        return loss


def logits(list members, X, out):
    """Write the members' logits of X, rows as they are stored, into `out`, (n_members, n_outputs, n)."""
    cdef Py_ssize_t n = X.shape[0], size = out.nbytes // len(members)
    cdef void *rows = pointer(X)
    cdef char *result = <char *> pointer(out)
    cdef Member member
    for member in members:
        with nogil:
            if member.is_float:
                logits_of_rows[float](member, <float *> rows, n, <float *> result)
            else:
                logits_of_rows[double](member, <double *> rows, n, <double *> result)
        result += size


def radial_units(X, Py_ssize_t first, centers, double factor, out):
    """Write exp(factor · ‖x − c‖₁) into `out`, (n, m). X is (n, width); x are its columns from `first` on; centers are (d, m)."""
    cdef Py_ssize_t width = X.shape[1], n = X.shape[0], d = centers.shape[0], m = centers.shape[1]
    cdef Py_ssize_t itemsize = X.itemsize
    cdef void *x = <char *> pointer(X) + first * itemsize
    cdef void *c = pointer(centers)
    cdef void *h = pointer(out)
    with nogil:
        if itemsize == sizeof(float):
            radial_units_of(<float *> x, <float *> c, <float *> h, factor, width, n, d, m)
        else:
            radial_units_of(<double *> x, <double *> c, <double *> h, factor, width, n, d, m)


cdef void add_trees(const real *X, Py_ssize_t width, Py_ssize_t n, const int32_t *feature, const real *threshold, const int32_t *left,
                    const int32_t *right, const real *value, const int32_t *roots, const int32_t *outputs, Py_ssize_t n_trees,
                    real *out, Py_ssize_t n_outputs) noexcept nogil:
    """Add the leaves that each row reaches to `out`, (n, n_outputs)."""
    cdef Py_ssize_t tree, r
    cdef int32_t node
    cdef const real *x
    for tree in range(n_trees):
        for r in range(n):
            node, x = roots[tree], X + r * width
            while feature[node] >= 0:
                node = left[node] if x[feature[node]] <= threshold[node] else right[node]
            out[r * n_outputs + outputs[tree]] += value[node]


def tree_sums(X, Py_ssize_t first, dict nodes, roots, outputs, out):
    """Add the answers of trees to the rows of X, (n, width), to `out`; they see the columns from `first` on."""
    cdef Py_ssize_t width = X.shape[1], n = X.shape[0], n_trees = len(roots), n_outputs = out.shape[1], itemsize = X.itemsize
    cdef void *x = <char *> pointer(X) + first * itemsize
    cdef int32_t *f = <int32_t *> pointer(nodes["feature"])
    cdef int32_t *l = <int32_t *> pointer(nodes["left"])
    cdef int32_t *r = <int32_t *> pointer(nodes["right"])
    cdef int32_t *starts = <int32_t *> pointer(roots)
    cdef int32_t *places = <int32_t *> pointer(outputs)
    cdef void *t = pointer(nodes["threshold"])
    cdef void *v = pointer(nodes["value"])
    cdef void *o = pointer(out)
    with nogil:
        if itemsize == sizeof(float):
            add_trees[float](<float *> x, width, n, f, <float *> t, l, r, <float *> v, starts, places, n_trees, <float *> o, n_outputs)
        else:
            add_trees[double](<double *> x, width, n, f, <double *> t, l, r, <double *> v, starts, places, n_trees, <double *> o, n_outputs)


cdef void product(char *of_A, char *of_B, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, real *A, Py_ssize_t ld_A, real *B,
                  Py_ssize_t ld_B, real *C, Py_ssize_t ld_C) noexcept nogil:
    """C ← op(A) op(B), (m, n), stored by columns; op(A) is (m, k)."""
    cdef real one = 1, zero = 0
    cdef int M = <int> m, N = <int> n, K = <int> k, a = <int> ld_A, b = <int> ld_B, c = <int> ld_C
    if k == 0:
        memset(C, 0, m * n * sizeof(real))
    elif m and n:
        if real is float:
            sgemm(of_A, of_B, &M, &N, &K, &one, A, &a, B, &b, &zero, C, &c)
        else:
            dgemm(of_A, of_B, &M, &N, &K, &one, A, &a, B, &b, &zero, C, &c)


cdef void read_inputs(Member self, Py_ssize_t *rows, Py_ssize_t n, real *inputs) noexcept nogil:
    """Copy the columns that the member sees; the tables' vectors replace codes."""
    cdef real *table = <real *> self.parameters + self.tables
    cdef real *row
    cdef Py_ssize_t r, c, code, n_numbers = self.n_numbers - self.first_column
    for r in range(n):
        row = <real *> self.X + (rows[r] if rows != NULL else r) * self.n_columns
        memcpy(inputs, row + self.first_column, n_numbers * sizeof(real))
        inputs += n_numbers
        for c in range(self.n_embedded):
            code = self.first_rows[c] + <Py_ssize_t> row[self.n_numbers + c]
            self.codes[r * self.n_embedded + c] = code
            memcpy(inputs, table + code * VECTOR, VECTOR * sizeof(real))
            inputs += VECTOR


cdef void read_targets(Member self, Py_ssize_t *rows, Py_ssize_t n, double total, real *share, real *targets) noexcept nogil:
    """Copy each row's share of the total weight, and its label or its targets."""
    cdef Py_ssize_t r, k, n_outputs = self.layers[self.n_layers - 1].units
    for r in range(n):
        share[r] = <real> ((<real *> self.weights)[rows[r]] / total if self.weights != NULL else 1 / total)
        if self.labels != NULL:
            self.row_labels[r] = self.labels[rows[r]]
        else:
            for k in range(n_outputs):
                targets[k * n + r] = (<real *> self.targets)[rows[r] * n_outputs + k]


cdef void sparse_product(Member self, Py_ssize_t *rows, Py_ssize_t n, real *W, real *Z, Py_ssize_t units) noexcept nogil:
    """Z = X W for sparse rows."""
    cdef Py_ssize_t r, u
    cdef int64_t start
    cdef real *out = <real *> self.inputs
    for r in range(n):
        start = self.starts[rows[r]]
        row_product(<real *> self.data + start, self.columns + start, self.starts[rows[r] + 1] - start, W, out, units)
        for u in range(units):
            Z[u * n + r] = out[u]


cdef void sparse_gradient(Member self, Py_ssize_t *rows, Py_ssize_t n, real *d, real *d_W, Layer *layer) noexcept nogil:
    """d_W = Xᵀ d for sparse rows."""
    cdef Py_ssize_t r, u
    cdef int64_t start
    cdef real *of_row = <real *> self.inputs
    memset(d_W, 0, layer.fan_in * layer.units * sizeof(real))
    for r in range(n):
        start = self.starts[rows[r]]
        for u in range(layer.units):
            of_row[u] = d[u * n + r]
        add_row(<real *> self.data + start, self.columns + start, self.starts[rows[r] + 1] - start, of_row, d_W, layer.units)


cdef real *forward(Member self, Py_ssize_t *rows, Py_ssize_t n, bint is_training, real zero) noexcept nogil:
    """The logits of the rows, (n, n_outputs); without row numbers, of the first n rows."""
    cdef int i
    cdef Layer *layer
    cdef real *W
    cdef real *b
    cdef real *Z
    cdef real *H = <real *> self.inputs
    if self.X != NULL:
        read_inputs(self, rows, n, H)
    for i in range(self.n_layers):
        layer = &self.layers[i]
        W, Z = <real *> self.parameters + layer.start, <real *> layer.Z
        b = W + layer.fan_in * layer.units
        if i:
            product(b"n", b"t", n, layer.units, layer.fan_in, H, n, W, layer.units, Z, n)
        elif self.X != NULL:
            product(b"t", b"t", n, layer.units, layer.fan_in, H, layer.fan_in, W, layer.units, Z, n)
        else:
            sparse_product(self, rows, n, W, Z, layer.units)
        if i == self.n_layers - 1:
            add_bias(Z, b, n, layer.units)
        else:
            activate(layer.activation, Z, <real *> layer.D, b, n, layer.units)
            if is_training and layer.threshold >= 0:
                draw(self, n * layer.units)
                drop(Z, <real *> layer.D, self.random, layer.threshold, n * layer.units)
        H = Z
    return H


cdef void draw(Member self, Py_ssize_t n) noexcept nogil:
    """Fill `random` with n numbers of two bytes: each 64 random bits give four, as in `nn.layers.two_bytes`."""
    cdef Py_ssize_t i
    for i in range((n + 3) // 4):
        (<uint64_t *> self.random)[i] = self.bits.next_raw(self.bits.state)


cdef void backward(Member self, Py_ssize_t *rows, Py_ssize_t n, real *d) noexcept nogil:
    """Fill the gradient, given the derivative at the logits."""
    cdef int i
    cdef Layer *layer
    cdef real *W
    cdef real *d_W
    cdef real *H
    cdef real *d_H = <real *> self.delta
    for i in range(self.n_layers - 1, -1, -1):
        layer = &self.layers[i]
        W, d_W = <real *> self.parameters + layer.start, <real *> self.gradient + layer.start
        sum_rows(d, d_W + layer.fan_in * layer.units, n, layer.units)
        if i:
            H = <real *> self.layers[i - 1].Z
            product(b"t", b"n", layer.units, layer.fan_in, n, d, n, H, n, d_W, layer.units)
            product(b"n", b"n", n, layer.fan_in, layer.units, d, n, W, layer.units, d_H, n)
            multiply(d_H, <real *> self.layers[i - 1].D, n * layer.fan_in)
            d, d_H = d_H, <real *> (self.other_delta if d_H == self.delta else self.delta)
        elif self.X == NULL:
            sparse_gradient(self, rows, n, d, d_W, layer)
        else:
            H = <real *> self.inputs
            product(b"t", b"t", layer.units, layer.fan_in, n, d, n, H, layer.fan_in, d_W, layer.units)
            if self.n_embedded:
                W += (layer.fan_in - VECTOR * self.n_embedded) * layer.units
                product(b"t", b"t", VECTOR * self.n_embedded, n, layer.units, W, layer.units, d, n, d_H, VECTOR * self.n_embedded)
                add_to_tables(self, n, d_H)


cdef void add_to_tables(Member self, Py_ssize_t n, real *d) noexcept nogil:
    """The tables' gradient: each row is the sum of the derivatives of its code's vectors."""
    cdef real *d_E = <real *> self.gradient + self.tables
    cdef Py_ssize_t i, j
    memset(d_E, 0, self.first_rows[self.n_embedded] * VECTOR * sizeof(real))
    for i in range(n * self.n_embedded):
        for j in range(VECTOR):
            d_E[self.codes[i] * VECTOR + j] += d[i * VECTOR + j]


cdef double gradient_of_rows(Member self, Py_ssize_t *rows, Py_ssize_t n, double total, real zero) noexcept nogil:
    """Fill the gradient of the loss of these rows, and return the loss; `total` is the sum of weights that they share."""
    cdef real *d = forward[real](self, rows, n, True, zero)  # the logits, and then p − y
    cdef real *share = <real *> self.share
    cdef real *targets = <real *> self.row_targets
    cdef real *work = <real *> self.work
    cdef real *prior = <real *> self.prior
    cdef Py_ssize_t n_outputs = self.layers[self.n_layers - 1].units
    cdef double loss
    read_targets(self, rows, n, total, share, targets)
    if self.loss == SOFTMAX:
        if self.labels != NULL:
            loss = softmax_loss(d, self.row_labels, <real *> NULL, share, self.smoothing, prior, work, n, n_outputs)
        else:
            loss = softmax_loss(d, <Py_ssize_t *> NULL, targets, share, self.smoothing, prior, work, n, n_outputs)
    else:
        loss = logistic_loss(d, targets, share, self.smoothing, prior, work, n, n_outputs)
    backward(self, rows, n, d)
    return loss


cdef double step(Member self, Py_ssize_t *rows, Py_ssize_t n, double total, double rate, Py_ssize_t n_before, Py_ssize_t n_averaged,
                 real zero) noexcept nogil:
    """A training step: gradient, penalty, clipping, update, average. Returns the loss; one that is not finite changes nothing."""
    cdef real *w = <real *> self.parameters
    cdef real *g = <real *> self.gradient
    cdef real *m = <real *> self.first
    cdef real *v = <real *> self.second
    cdef real *a = <real *> self.average
    cdef double loss = gradient_of_rows[real](self, rows, n, total, zero), strength = self.alpha / total, correction = 1
    cdef Part *part
    cdef int i
    if strength:
        for i in range(self.n_parts):
            part = &self.parts[i]
            if not part.is_bias:
                add(g + part.start, w + part.start, strength, 0, part.n)
                loss += 0.5 * strength * sum_squares(w + part.start, part.n)
    if not isfinite(loss):
        return loss
    if isfinite(self.max_norm):
        clip[real](self, g)
    if self.update == ADAM:
        correction = sqrt(1 - pow(self.constants[1], n_before + 1)) / (1 - pow(self.constants[0], n_before + 1))
        correction *= (1 - self.constants[0]) / sqrt(1 - self.constants[1])
    for i in range(self.n_parts):
        part = &self.parts[i]
        if self.update == ADAM:
            adam(w + part.start, g + part.start, m + part.start, v + part.start, <real *> part.rates, self.constants[0],
                 self.constants[1], self.constants[2] / sqrt(1 - self.constants[1]), rate * correction * part.rate,
                 1 - rate * part.decay, part.n)
        else:
            sgd(w + part.start, g + part.start, m + part.start, <real *> part.rates, self.constants[0], <int> self.constants[1],
                rate * part.rate, 1 - rate * part.decay, part.n)
        if a != NULL:
            add(a + part.start, w + part.start, (1 - self.ema_decay) / (1 - pow(self.ema_decay, n_averaged + 1)), 1, part.n)
    return loss


cdef void clip(Member self, real *g) noexcept nogil:
    """Shorten a longer gradient to the length `max_norm`."""
    cdef double norm = 0, most = 0
    cdef int i
    for i in range(self.n_parts):
        norm += sum_squares(g + self.parts[i].start, self.parts[i].n)
    if not isfinite(norm):  # squares overflow
        for i in range(self.n_parts):
            most = max(most, largest(g + self.parts[i].start, self.parts[i].n))
        norm = 0
        for i in range(self.n_parts):
            scale(g + self.parts[i].start, 1 / most, self.parts[i].n)
            norm += sum_squares(g + self.parts[i].start, self.parts[i].n)
        for i in range(self.n_parts):
            scale(g + self.parts[i].start, min(self.max_norm / sqrt(norm), most), self.parts[i].n)
    elif sqrt(norm) > self.max_norm:
        for i in range(self.n_parts):
            scale(g + self.parts[i].start, self.max_norm / sqrt(norm), self.parts[i].n)


cdef void logits_of_rows(Member self, real *X, Py_ssize_t n_all, real *out) noexcept nogil:
    """Write the logits of all rows into `out`, (n_outputs, n_all)."""
    cdef Py_ssize_t first = 0, u, n
    cdef real *Z
    while first < n_all:
        n = min(self.n_rows, n_all - first)
        self.X = X + first * self.n_columns
        Z = forward[real](self, NULL, n, False, 0)
        for u in range(self.layers[self.n_layers - 1].units):
            memcpy(out + u * n_all + first, Z + u * n, n * sizeof(real))
        first += n
