// One recurrent layer over a whole sequence on the CPU, forwards and backwards: vanilla (tanh), LSTM and GRU, in float
// and double, for any width. No headers of torch: Python hands over addresses of contiguous arrays, see kernel.py.
//
// Both directions go through time in chunks of about ROWS rows (steps times sequences), which stay in the cache:
//   forwards   chunk by chunk: pre = x W_ih^T + b, one product; then step by step: gates(pre_t + h_{t-1} W_hh^T).
//   backwards  chunk by chunk, last first: step by step dh_t = dy_t + d_{t+1} W_hh (GRU: + z dh), d_t = dh_t times the slope
//              of the gates; then dx = d W_ih, dW_ih += d^T x, dW_hh += d^T h_{t-1}, db += d: one product a chunk each.
// Every product is made of tiles: sums of a few rows by a few vectors that stay in registers, and in the recurrence the
// gates of a tile are finished right after. Threads share the sequences of the batch: only the weights' gradients are summed over them.
//
// Arrays: x (T, B, D), h (T, B, H), h0 (B, H); "padded" arrays have Hp columns a gate, H rounded up to whole panels.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#if defined(__AVX512F__)
constexpr int BYTES = 64, SUMS = 24;  // bytes of a vector register; sums that fit in the registers beside what feeds them
#elif defined(__AVX__)
constexpr int BYTES = 32, SUMS = 12;
#else
constexpr int BYTES = 16, SUMS = 8;
#endif
constexpr int ROWS = 512, WIDE = 2;  // rows of a chunk; vectors of a panel where there is no gate to interleave
#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 24")

// ---------------------------------------------------------------------------------------------- vectors and gates

template <class real> struct Lanes;
template <> struct Lanes<float> {
  typedef float vec __attribute__((vector_size(BYTES)));
  typedef uint32_t bits __attribute__((vector_size(BYTES)));
  static constexpr float ROUND = 12582912.f, HIGH = 0.693359375f, LOW = -2.12194440e-4f, EXP_END = 87.f, TANH_END = 10.f;
  static constexpr int V = BYTES / 4, FRACTION = 23, TERMS = 5;
  // e^r = 1 + r + r^2 (...), |r| <= ln 2 / 2, highest power first (Cephes, expf)
  static constexpr float POWERS[TERMS + 1] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                              4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
};
template <> struct Lanes<double> {
  typedef double vec __attribute__((vector_size(BYTES)));
  typedef uint64_t bits __attribute__((vector_size(BYTES)));
  static constexpr double ROUND = 6755399441055744., HIGH = 0.693145751953125, LOW = 1.42860682030941723212e-6;
  static constexpr double EXP_END = 708., TANH_END = 20.;
  static constexpr int V = BYTES / 8, FRACTION = 52, TERMS = 10;
  // Taylor: 1/12! ... 1/2!, what is left out is below 2e-16
  static constexpr double POWERS[TERMS + 1] = {1. / 479001600, 1. / 39916800, 1. / 3628800, 1. / 362880, 1. / 40320, 1. / 5040,
                                               1. / 720,       1. / 120,      1. / 24,      1. / 6,      1. / 2};
};
template <class real> using vec = typename Lanes<real>::vec;

template <class real> INLINE vec<real> load(const real *from) {
  vec<real> v;
  memcpy(&v, from, sizeof v);
  return v;
}
template <class real> INLINE void store(real *to, vec<real> v) { memcpy(to, &v, sizeof v); }
// The same at the end of a row, where less than a vector is left.
template <class real> INLINE vec<real> load(const real *from, int64_t left) {
  if (left >= Lanes<real>::V) return load(from);
  vec<real> v{};
  for (int64_t lane = 0; lane < left; lane++) v[lane] = from[lane];
  return v;
}
template <class real> INLINE void store(real *to, vec<real> v, int64_t left) {
  if (left >= Lanes<real>::V) return store(to, v);
  for (int64_t lane = 0; lane < left; lane++) to[lane] = v[lane];
}

// e^x - 1 and e^x, by x = n ln 2 + r: adding ROUND leaves n in the last bits. A NaN stays one.
template <class real, bool MINUS_ONE> INLINE vec<real> exponential(vec<real> x) {
  typedef Lanes<real> L;
  vec<real> shifted = x * real(1.4426950408889634) + L::ROUND, n = shifted - L::ROUND;
  vec<real> r = x - n * L::HIGH - n * L::LOW, p = vec<real>{} + L::POWERS[0];
  UNROLL for (int term = 1; term <= L::TERMS; term++) p = p * r + L::POWERS[term];
  vec<real> rest = p * (r * r) + r;
  typename L::bits one = (typename L::bits)(vec<real>{} + real(1));
  vec<real> power = (vec<real>)(((typename L::bits)shifted << L::FRACTION) + one);
  return power * rest + (MINUS_ONE ? power - real(1) : power);
}
template <class real> INLINE vec<real> within(vec<real> x, real end) {
  x = x > end ? vec<real>{} + end : x;
  return x < -end ? vec<real>{} - end : x;
}
template <class real> INLINE vec<real> sigmoid(vec<real> x) {
  return real(1) / (real(1) + exponential<real, false>(within<real>(-x, Lanes<real>::EXP_END)));
}
template <class real> INLINE vec<real> tanh_(vec<real> x) {
  vec<real> e = exponential<real, true>(within<real>(x, Lanes<real>::TANH_END) * real(2));
  return e / (e + real(2));
}

// ---------------------------------------------------------------------------------------------- tiles and panels

// sum[r][n] += sum over k of a[r * row + k * step] * w[k][n], in `parts` runs of K, whose a lie `jump` apart; w is packed as
// a panel of N vectors a k. With few sums in flight the processor waits for each: small tiles sum up in several chains.
template <class real, int R, int N>
void tile(vec<real> *sum, const real *a, int64_t row, int64_t step, const real *w, int64_t K, int parts, int64_t jump) {
  constexpr int V = Lanes<real>::V, CHAINS = R * N >= 8 ? 1 : 8 / (R * N);
  vec<real> chain[CHAINS][R][N] = {};
  UNROLL for (int r = 0; r < R; r++) UNROLL for (int n = 0; n < N; n++) chain[0][r][n] = sum[r * N + n];
  for (; parts > 0; parts--, a += jump) {
    const real *at = a;
    int64_t k = K;
    for (; k >= CHAINS; k -= CHAINS)
      UNROLL for (int c = 0; c < CHAINS; c++, at += step, w += N * V) {
        vec<real> wk[N];
        UNROLL for (int n = 0; n < N; n++) wk[n] = load(w + n * V);
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int n = 0; n < N; n++) chain[c][r][n] += at[r * row] * wk[n];
      }
    for (; k > 0; k--, at += step, w += N * V)
      UNROLL for (int r = 0; r < R; r++) UNROLL for (int n = 0; n < N; n++) chain[0][r][n] += at[r * row] * load(w + n * V);
  }
  UNROLL for (int c = 1; c < CHAINS; c++) UNROLL for (int r = 0; r < R; r++) UNROLL for (int n = 0; n < N; n++)
      chain[0][r][n] += chain[c][r][n];
  UNROLL for (int r = 0; r < R; r++) UNROLL for (int n = 0; n < N; n++) sum[r * N + n] = chain[0][r][n];
}
// The same for any number of rows up to R.
template <int R, int N, class real>
INLINE void multiply(int rows, vec<real> *sum, const real *a, int64_t row, int64_t step, const real *w, int64_t K, int parts = 1,
                     int64_t jump = 0) {
  if constexpr (R > 1)
    if (rows < R) return multiply<R - 1, N>(rows, sum, a, row, step, w, K, parts, jump);
  tile<real, R, N>(sum, a, row, step, w, K, parts, jump);
}

// body(first, how many) over all rows, in blocks of nearly equal size, at most R.
template <class Body> INLINE void in_blocks(int64_t rows, int R, Body body) {
  int64_t first = 0;
  for (int64_t blocks = (rows + R - 1) / R; blocks > 0; blocks--) {
    int64_t size = (rows - first + blocks - 1) / blocks;
    body(first, int(size));
    first += size;
  }
}

// w (GATES * H, K) as panels [column / (V * BLOCKS)][k][gate][block][lane], for products with its transpose.
template <class real, int GATES, int BLOCKS> void pack_across(const real *w, int64_t H, int64_t K, real *to) {
  constexpr int V = Lanes<real>::V;
  for (int64_t j = 0; j < H; j += V * BLOCKS)
    for (int g = 0; g < GATES; g++)
      for (int b = 0; b < BLOCKS; b++) {
        int64_t left = H - j - b * V, lanes = left < 0 ? 0 : left;
        const real *from = w + (g * H + j + b * V) * K;
        real *panel = to + j * GATES * K + (g * BLOCKS + b) * V;
        for (int64_t k = 0; k < K; k++)
          for (int64_t lane = 0; lane < V; lane++) panel[k * GATES * BLOCKS * V + lane] = lane < lanes ? from[lane * K + k] : 0;
      }
}
// w (K, columns), rows `stride` apart, as panels [column / (V * WIDE)][k][WIDE * V].
template <class real> INLINE void pack_panel(const real *w, int64_t stride, int64_t K, int64_t left, real *to) {
  constexpr int WIDTH = Lanes<real>::V * WIDE;
  for (int64_t k = 0; k < K; k++, to += WIDTH)
    if (left >= WIDTH)
      memcpy(to, w + k * stride, sizeof(real) * WIDTH);
    else
      for (int64_t lane = 0; lane < WIDTH; lane++) to[lane] = lane < left ? w[k * stride + lane] : 0;
}
template <class real> void pack_along(const real *w, int64_t K, int64_t columns, real *to) {
  constexpr int WIDTH = Lanes<real>::V * WIDE;
  for (int64_t j = 0; j < columns; j += WIDTH, to += K * WIDTH) pack_panel(w + j, columns, K, columns - j, to);
}

// ---------------------------------------------------------------------------------------------- the layer

// What Python hands over. Null: c0, c, c_last without a cell line; lengths when all end at T; gates and c when nothing
// is to be differentiated; dy, dh_last, dc_last that are zero; any gradient that nobody wants.
template <class real> struct Layer {
  int64_t T, B, D, H;
  const real *x, *h0, *c0, *w_ih, *w_hh, *b_ih, *b_hh;
  const int64_t *lengths;
  real *h, *gates, *c, *h_last, *c_last;
  const real *dy, *dh_last, *dc_last;
  real *dx, *dh0, *dc0, *dw_ih, *dw_hh, *db_ih, *db_hh;

  int64_t padded() const { return round_up(H); }
  static int64_t round_up(int64_t columns) {
    constexpr int WIDTH = Lanes<real>::V * WIDE;
    return (columns + WIDTH - 1) / WIDTH * WIDTH;
  }
  const real *h_before(int64_t t, int64_t b) const { return t ? h + ((t - 1) * B + b) * H : h0 + b * H; }
};

// The cells. `below` and `past`: where in a row of d the gradient lies that W_ih, W_hh sees of each gate.
struct Vanilla {
  static constexpr int GATES = 1, BLOCKS = 2, KEPT = 0, SLOTS = 1, CARRIES = 0;
  static constexpr int below[1] = {0}, past[1] = {0};
};
struct LSTM {
  static constexpr int GATES = 4, BLOCKS = 1, KEPT = 4, SLOTS = 4, CARRIES = 1;  // kept: i f g o; carried backwards: dc
  static constexpr int below[4] = {0, 1, 2, 3}, past[4] = {0, 1, 2, 3};
};
struct GRU {
  static constexpr int GATES = 3, BLOCKS = 1, KEPT = 4, SLOTS = 4, CARRIES = 1;  // kept: r z n and q = W_hn h + b_hn; carried: z dh
  static constexpr int below[3] = {0, 1, 3}, past[3] = {0, 1, 2};
};

// The sequences first..first+count of the batch, and the memory of the thread that has them.
template <class real> struct Share {
  int64_t first, count, steps;  // steps of a chunk
  real *pre, *carry, *panel, *start;
};

// Rows of a chunk lie next to each other where the share is the whole batch, else step by step.
template <class real, class Body>
INLINE void over_rows(const Layer<real> &l, const Share<real> &s, int64_t t0, int64_t steps, int R, Body body) {
  int64_t rows = s.count == l.B ? steps * s.count : s.count;
  for (int64_t done = 0; done < steps * s.count; done += rows) {
    int64_t outside = (t0 + done / s.count) * l.B + s.first;
    in_blocks(rows, R, [&](int64_t r, int size) { body(done + r, outside + r, size); });
  }
}

// pre = x W_ih^T + b for a chunk; the GRU's b_hn belongs to the past alone.
template <class Cell, class real>
void project(const Layer<real> &l, const Share<real> &s, int64_t t0, int64_t steps, const real *w, const real *bias) {
  constexpr int V = Lanes<real>::V, BLOCKS = Cell::BLOCKS, N = Cell::GATES * BLOCKS, R = SUMS / N;
  int64_t Hp = l.padded(), row = Cell::GATES * Hp;
  for (int64_t j = 0; j < l.H; j += V * BLOCKS)
    over_rows(l, s, t0, steps, R, [&](int64_t inside, int64_t outside, int size) {
      vec<real> sum[SUMS];
      for (int r = 0; r < size; r++)
        for (int n = 0; n < N; n++) sum[r * N + n] = load(bias + n / BLOCKS * Hp + j + n % BLOCKS * V);
      multiply<R, N>(size, sum, l.x + outside * l.D, l.D, 1, w + j * Cell::GATES * l.D, l.D);
      for (int r = 0; r < size; r++)
        for (int n = 0; n < N; n++) store(s.pre + (inside + r) * row + n / BLOCKS * Hp + j + n % BLOCKS * V, sum[r * N + n]);
    });
}

// One sequence's gates at one step, V units from column j on: `a` the sums of the gates, kept what is saved for later.
template <class real> struct Node {
  int64_t left;                // columns up to the end of the row
  const real *h_old;        // (H)
  real *h, *kept;           // (H); (KEPT, Hp) or null
  const real *c_old, *pre;  // (Hp); x's part, (GATES, Hp)
  real *c;
  int64_t Hp;
  bool ended;
};
template <class real> INLINE void finish(Vanilla, const Node<real> &n, const vec<real> *a) {
  UNROLL for (int b = 0; b < Vanilla::BLOCKS; b++)
      store(n.h + b * Lanes<real>::V, tanh_<real>(a[b]), n.left - b * Lanes<real>::V);
}
template <class real> INLINE void finish(LSTM, const Node<real> &n, const vec<real> *a) {
  vec<real> i = sigmoid<real>(a[0]), f = sigmoid<real>(a[1]), g = tanh_<real>(a[2]), o = sigmoid<real>(a[3]);
  vec<real> c = f * load(n.c_old) + i * g, h = o * tanh_<real>(c);
  if (n.ended) c = load(n.c_old), h = load(n.h_old, n.left);
  if (n.kept) store(n.kept, i), store(n.kept + n.Hp, f), store(n.kept + 2 * n.Hp, g), store(n.kept + 3 * n.Hp, o);
  store(n.c, c);
  store(n.h, h, n.left);
}
template <class real> INLINE void finish(GRU, const Node<real> &n, const vec<real> *a) {
  vec<real> r = sigmoid<real>(a[0]), z = sigmoid<real>(a[1]), q = a[2], new_ = tanh_<real>(load(n.pre + 2 * n.Hp) + r * q);
  if (n.kept) store(n.kept, r), store(n.kept + n.Hp, z), store(n.kept + 2 * n.Hp, new_), store(n.kept + 3 * n.Hp, q);
  store(n.h, new_ + z * (load(n.h_old, n.left) - new_), n.left);
}

// One step of the recurrence: step t, which is the chunk's step `inside`.
template <class Cell, class real>
void step(const Layer<real> &l, const Share<real> &s, int64_t t, int64_t inside, const real *w, const real *b_hn) {
  constexpr int V = Lanes<real>::V, BLOCKS = Cell::BLOCKS, N = Cell::GATES * BLOCKS, R = SUMS / N;
  constexpr bool gru = std::is_same<Cell, GRU>::value, lstm = std::is_same<Cell, LSTM>::value;
  int64_t Hp = l.padded(), row = Cell::GATES * Hp;
  for (int64_t j = 0; j < l.H; j += V * BLOCKS)
    in_blocks(s.count, R, [&](int64_t r0, int size) {
      const real *pre = s.pre + (inside * s.count + r0) * row + j, *h_old = l.h_before(t, s.first + r0);
      vec<real> sum[SUMS];
      for (int r = 0; r < size; r++)
        for (int n = 0; n < N; n++)
          sum[r * N + n] = gru && n == 2 ? load(b_hn + j) : load(pre + r * row + n / BLOCKS * Hp + n % BLOCKS * V);
      multiply<R, N>(size, sum, h_old, l.H, 1, w + j * Cell::GATES * l.H, l.H);
      for (int r = 0; r < size; r++) {
        int64_t b = s.first + r0 + r, at = t * l.B + b;
        real *rolling = s.carry + (r0 + r) * Hp + j, *first = s.start + (r0 + r) * Hp + j;
        real *c_old = !lstm ? nullptr : !l.c ? rolling : t ? l.c + (at - l.B) * Hp + j : first;
        real *c = !lstm ? nullptr : !l.c ? rolling : l.c + at * Hp + j;
        real *kept = l.gates ? l.gates + at * Cell::KEPT * Hp + j : nullptr;
        bool ended = lstm && l.lengths && t >= l.lengths[b];
        finish(Cell(), Node<real>{l.H - j, h_old + r * l.H + j, l.h + at * l.H + j, kept, c_old, pre + r * row, c, Hp, ended},
               sum + r * N);
      }
    });
}

template <class real> void pad(const real *from, int64_t rows, int64_t H, int64_t Hp, real *to) {
  memset(to, 0, sizeof(real) * rows * Hp);
  if (from)
    for (int64_t r = 0; r < rows; r++) memcpy(to + r * Hp, from + r * H, sizeof(real) * H);
}
template <class real> void unpad(const real *from, int64_t rows, int64_t H, int64_t Hp, real *to) {
  for (int64_t r = 0; r < rows; r++) memcpy(to + r * H, from + r * Hp, sizeof(real) * H);
}

template <class Cell, class real>
void forward(const Layer<real> &l, const Share<real> &s, const real *w_ih, const real *w_hh, const real *bias) {
  constexpr bool lstm = std::is_same<Cell, LSTM>::value;
  int64_t Hp = l.padded();
  if (lstm) pad(l.c0 + s.first * l.H, s.count, l.H, Hp, l.c ? s.start : s.carry);
  for (int64_t t0 = 0; t0 < l.T; t0 += s.steps) {
    int64_t steps = l.T - t0 < s.steps ? l.T - t0 : s.steps;
    project<Cell>(l, s, t0, steps, w_ih, bias);
    for (int64_t inside = 0; inside < steps; inside++) step<Cell>(l, s, t0 + inside, inside, w_hh, bias + 3 * Hp);
  }
  memcpy(l.h_last + s.first * l.H, l.h + ((l.T - 1) * l.B + s.first) * l.H, sizeof(real) * s.count * l.H);
  if (lstm) unpad(l.c ? l.c + ((l.T - 1) * l.B + s.first) * Hp : s.carry, s.count, l.H, Hp, l.c_last + s.first * l.H);
}

// ---------------------------------------------------------------------------------------------- backwards

// One sequence's gradients at one step, V units from column j on: from dh to d, and what the step before has to carry.
template <class real> struct Slope {
  int64_t left, Hp;
  const real *h, *h_old, *kept, *c, *c_old;
  real *d, *carry;
  bool ended;
};
template <class real> INLINE void differentiate(Vanilla, const Slope<real> &s, vec<real> dh) {
  vec<real> h = load(s.h, s.left);
  store(s.d, dh * (real(1) - h * h));
}
template <class real> INLINE void differentiate(LSTM, const Slope<real> &s, vec<real> dh) {
  if (s.ended) {  // the state repeats: dc goes on as it is
    UNROLL for (int g = 0; g < 4; g++) store(s.d + g * s.Hp, vec<real>{});
    return;
  }
  vec<real> i = load(s.kept), f = load(s.kept + s.Hp), g = load(s.kept + 2 * s.Hp), o = load(s.kept + 3 * s.Hp);
  vec<real> tc = tanh_<real>(load(s.c)), dc = load(s.carry) + dh * o * (real(1) - tc * tc);
  store(s.d, dc * g * i * (real(1) - i));
  store(s.d + s.Hp, dc * load(s.c_old) * f * (real(1) - f));
  store(s.d + 2 * s.Hp, dc * i * (real(1) - g * g));
  store(s.d + 3 * s.Hp, dh * tc * o * (real(1) - o));
  store(s.carry, dc * f);
}
template <class real> INLINE void differentiate(GRU, const Slope<real> &s, vec<real> dh) {
  vec<real> r = load(s.kept), z = load(s.kept + s.Hp), n = load(s.kept + 2 * s.Hp), q = load(s.kept + 3 * s.Hp);
  vec<real> dn = dh * (real(1) - z) * (real(1) - n * n);
  store(s.d, dn * q * r * (real(1) - r));
  store(s.d + s.Hp, dh * (load(s.h_old, s.left) - n) * z * (real(1) - z));
  store(s.d + 2 * s.Hp, dn * r);
  store(s.d + 3 * s.Hp, dn);
  store(s.carry, dh * z);
}

// dh_t for a block of rows: from the loss, from the step after, `next`, and what that carried.
template <class Cell, class real>
INLINE void gather(vec<real> *dh, const Layer<real> &l, const Share<real> &s, int64_t t, int64_t r0, int size, int64_t j,
                   const real *next, const real *w) {
  constexpr int V = Lanes<real>::V;
  int64_t Hp = l.padded(), row = Cell::SLOTS * Hp + V;
  const real *dy = t < 0 ? nullptr : l.dy, *last = t == l.T - 1 ? l.dh_last : nullptr;
  for (int r = 0; r < size; r++)
    for (int n = 0; n < WIDE; n++) {
      int64_t b = s.first + r0 + r, column = j + n * V, left = l.H - column;
      vec<real> sum = std::is_same<Cell, GRU>::value ? load(s.carry + (r0 + r) * Hp + column) : vec<real>{};
      if (dy) sum += load(dy + (t * l.B + b) * l.H + column, left);
      if (last) sum += load(last + b * l.H + column, left);
      dh[r * WIDE + n] = sum;
    }
  if (next) multiply<SUMS / WIDE, WIDE>(size, dh, next + r0 * row, row, 1, w + j * Cell::GATES * l.H, l.H, Cell::GATES, Hp);
}

template <class Cell, class real>
void step_back(const Layer<real> &l, const Share<real> &s, int64_t t, int64_t inside, const real *w) {
  constexpr int V = Lanes<real>::V;
  constexpr bool lstm = std::is_same<Cell, LSTM>::value;
  int64_t Hp = l.padded(), row = Cell::SLOTS * Hp + V;
  real *d = s.pre + inside * s.count * row;
  for (int64_t j = 0; j < l.H; j += V * WIDE)
    in_blocks(s.count, SUMS / WIDE, [&](int64_t r0, int size) {
      vec<real> dh[SUMS];
      gather<Cell>(dh, l, s, t, r0, size, j, t + 1 < l.T ? d + s.count * row : nullptr, w);
      for (int r = 0; r < size; r++)
        for (int n = 0; n < WIDE; n++) {
          int64_t b = s.first + r0 + r, at = t * l.B + b, column = j + n * V;
          const real *c = lstm ? l.c + at * Hp + column : nullptr;
          const real *c_old = !lstm ? nullptr : t ? c - l.B * Hp : s.start + (r0 + r) * Hp + column;
          const real *kept = Cell::KEPT > 0 ? l.gates + at * Cell::KEPT * Hp + column : nullptr;
          bool ended = lstm && l.lengths && t >= l.lengths[b];
          Slope<real> slope = {l.H - column, Hp, l.h + at * l.H + column, l.h_before(t, b) + column, kept, c, c_old,
                               d + (r0 + r) * row + column, s.carry + (r0 + r) * Hp + column, ended};
          differentiate(Cell(), slope, dh[r * WIDE + n]);
        }
    });
}

// dx = d W_ih for a chunk.
template <class Cell, class real>
void below_gradient(const Layer<real> &l, const Share<real> &s, int64_t t0, int64_t steps, const real *w) {
  constexpr int V = Lanes<real>::V, R = SUMS / WIDE;
  int64_t Hp = l.padded(), row = Cell::SLOTS * Hp + V;
  for (int64_t j = 0; j < l.D; j += V * WIDE)
    over_rows(l, s, t0, steps, R, [&](int64_t inside, int64_t outside, int size) {
      vec<real> sum[SUMS] = {};
      for (int g = 0; g < Cell::GATES; g++)
        multiply<R, WIDE>(size, sum, s.pre + inside * row + Cell::below[g] * Hp, row, 1, w + (j * Cell::GATES + g * V * WIDE) * l.H, l.H);
      for (int r = 0; r < size; r++)
        for (int n = 0; n < WIDE; n++) store(l.dx + (outside + r) * l.D + j + n * V, sum[r * WIDE + n], l.D - j - n * V);
    });
}

// dW (GATES * H, columns) += d^T values over a chunk; row_of(t, b) is a row of values.
template <class Cell, class real, class Row>
void weight_gradient(const Layer<real> &l, const Share<real> &s, int64_t t0, int64_t steps, const int *slot, int64_t columns, real *dw, Row row_of) {
  constexpr int V = Lanes<real>::V, R = SUMS / WIDE;
  int64_t Hp = l.padded(), row = Cell::SLOTS * Hp + V, rows = steps * s.count;
  for (int64_t j = 0; j < columns; j += V * WIDE) {
    for (int64_t r = 0; r < rows; r++)
      pack_panel(row_of(t0 + r / s.count, s.first + r % s.count) + j, 0, 1, columns - j, s.panel + r * V * WIDE);
    for (int g = 0; g < Cell::GATES; g++)
      in_blocks(l.H, R, [&](int64_t m, int size) {
        vec<real> sum[SUMS];
        real *to = dw + (g * l.H + m) * columns + j;
        for (int r = 0; r < size; r++)
          for (int n = 0; n < WIDE; n++) sum[r * WIDE + n] = load(to + r * columns + n * V, columns - j - n * V);
        multiply<R, WIDE>(size, sum, s.pre + slot[g] * Hp + m, 1, row, s.panel, rows);
        for (int r = 0; r < size; r++)
          for (int n = 0; n < WIDE; n++) store(to + r * columns + n * V, sum[r * WIDE + n], columns - j - n * V);
      });
  }
}
template <class Cell, class real> void bias_gradient(const Layer<real> &l, const Share<real> &s, int64_t steps, const int *slot, real *db) {
  constexpr int V = Lanes<real>::V;
  int64_t Hp = l.padded(), row = Cell::SLOTS * Hp + V;
  for (int g = 0; g < Cell::GATES; g++)
    for (int64_t j = 0; j < l.H; j += V) {
      vec<real> sum = load(db + g * l.H + j, l.H - j);
      for (int64_t r = 0; r < steps * s.count; r++) sum += load(s.pre + r * row + slot[g] * Hp + j);
      store(db + g * l.H + j, sum, l.H - j);
    }
}

template <class Cell, class real>
void backward(const Layer<real> &l, const Share<real> &s, const real *w_ih, const real *w_hh) {
  constexpr int V = Lanes<real>::V;
  constexpr bool lstm = std::is_same<Cell, LSTM>::value;
  int64_t Hp = l.padded(), row = Cell::SLOTS * Hp + V, last = (l.T - 1) / s.steps * s.steps;
  if (Cell::CARRIES) pad(lstm && l.dc_last ? l.dc_last + s.first * l.H : (const real *)nullptr, s.count, l.H, Hp, s.carry);
  if (lstm) pad(l.c0 + s.first * l.H, s.count, l.H, Hp, s.start);
  for (int64_t t0 = last; t0 >= 0; t0 -= s.steps) {
    int64_t steps = l.T - t0 < s.steps ? l.T - t0 : s.steps;
    if (t0 < last) memmove(s.pre + steps * s.count * row, s.pre, sizeof(real) * s.count * row);
    for (int64_t inside = steps - 1; inside >= 0; inside--) step_back<Cell>(l, s, t0 + inside, inside, w_hh);
    if (l.dx) below_gradient<Cell>(l, s, t0, steps, w_ih);
    if (l.dw_ih) weight_gradient<Cell>(l, s, t0, steps, Cell::below, l.D, l.dw_ih, [&](int64_t t, int64_t b) { return l.x + (t * l.B + b) * l.D; });
    if (l.dw_hh) weight_gradient<Cell>(l, s, t0, steps, Cell::past, l.H, l.dw_hh, [&](int64_t t, int64_t b) { return l.h_before(t, b); });
    if (l.db_ih) bias_gradient<Cell>(l, s, steps, Cell::below, l.db_ih);
    if (l.db_hh) bias_gradient<Cell>(l, s, steps, Cell::past, l.db_hh);
  }
  if (l.dh0)
    for (int64_t j = 0; j < l.H; j += V * WIDE)
      in_blocks(s.count, SUMS / WIDE, [&](int64_t r0, int size) {
        vec<real> dh[SUMS];
        gather<Cell>(dh, l, s, -1, r0, size, j, s.pre, w_hh);
        for (int r = 0; r < size; r++)
          for (int n = 0; n < WIDE; n++)
            store(l.dh0 + (s.first + r0 + r) * l.H + j + n * V, dh[r * WIDE + n], l.H - j - n * V);
      });
  if (lstm && l.dc0) unpad(s.carry, s.count, l.H, Hp, l.dc0 + s.first * l.H);
}

// ---------------------------------------------------------------------------------------------- memory and threads

constexpr int MOST_THREADS = 64;

// One piece of memory for everything: parts are counted first and handed out once it is there.
template <class real> struct Arena {
  void *whole = nullptr;
  real *memory = nullptr;
  int64_t used = 0;
  real *take(int64_t count) {
    real *part = memory ? memory + used : nullptr;
    used += (count + 15) / 16 * 16;
    return part;
  }
  bool allocate() {
    whole = malloc(sizeof(real) * used + 64);
    memory = (real *)(((uintptr_t)whole + 63) / 64 * 64);
    used = 0;
    return whole;
  }
  ~Arena() { free(whole); }
};

// Each thread gets about the same number of sequences; small layers get one thread, which starts sooner.
template <class Cell, class real> int team(const Layer<real> &l, int64_t threads) {
  int64_t work = l.T * l.B * Cell::GATES * l.H * (l.D + l.H) / 2000000;
  int64_t most = work < l.B ? work : l.B, limit = MOST_THREADS;
  most = most < limit ? most : limit;
  return threads < most ? threads : most < 1 ? 1 : most;
}

// Where everything lies: packed weights for all, a share of the batch and, from the second on, gradients for each thread.
template <class Cell, class real> struct Plan {
  real *w_ih, *w_hh, *bias, *gradients[MOST_THREADS];
  Share<real> shares[MOST_THREADS];

  Plan(const Layer<real> &l, int count, bool back, Arena<real> &arena) {
    int64_t Hp = l.padded(), row = back ? Cell::SLOTS * Hp + Lanes<real>::V : Cell::GATES * Hp;
    w_ih = arena.take(Cell::GATES * (back ? l.H * l.round_up(l.D) : Hp * l.D));
    w_hh = arena.take(Cell::GATES * Hp * l.H);
    bias = arena.take(4 * Hp);
    for (int number = 0; number < count; number++) {
      Share<real> &s = shares[number];
      s.first = l.B * number / count;
      s.count = l.B * (number + 1) / count - s.first;
      s.steps = ROWS / s.count < 1 ? 1 : ROWS / s.count < l.T ? ROWS / s.count : l.T;
      s.pre = arena.take((s.steps + back) * s.count * row);
      s.carry = arena.take(s.count * Hp);
      s.start = arena.take(s.count * Hp);
      s.panel = back ? arena.take(s.steps * s.count * Lanes<real>::V * WIDE) : nullptr;
      gradients[number] = back && number ? arena.take(Cell::GATES * l.H * (l.D + l.H + 2)) : nullptr;
    }
  }
};

template <class Cell, class real> int run_forward(const Layer<real> &l, int64_t threads) {
  int count = team<Cell>(l, threads);
  Arena<real> arena;
  Plan<Cell, real> plan(l, count, false, arena);
  if (!arena.allocate()) return 1;
  plan = Plan<Cell, real>(l, count, false, arena);
  pack_across<real, Cell::GATES, Cell::BLOCKS>(l.w_ih, l.H, l.D, plan.w_ih);
  pack_across<real, Cell::GATES, Cell::BLOCKS>(l.w_hh, l.H, l.H, plan.w_hh);
  for (int g = 0; g < Cell::GATES; g++) {
    bool apart = std::is_same<Cell, GRU>::value && g == 2;  // r multiplies b_hn too
    real *bias = plan.bias + g * l.padded();
    for (int64_t j = 0; j < l.H; j++) bias[j] = l.b_ih[g * l.H + j] + (apart ? 0 : l.b_hh[g * l.H + j]);
    if (apart) memcpy(bias + l.padded(), l.b_hh + g * l.H, sizeof(real) * l.H);
  }
#pragma omp parallel for num_threads(count) schedule(static, 1) if (count > 1)
  for (int number = 0; number < count; number++) forward<Cell>(l, plan.shares[number], plan.w_ih, plan.w_hh, plan.bias);
  return 0;
}

template <class Cell, class real> int run_backward(const Layer<real> &l, int64_t threads) {
  int count = team<Cell>(l, threads);
  Arena<real> arena;
  Plan<Cell, real> plan(l, count, true, arena);
  if (!arena.allocate()) return 1;
  plan = Plan<Cell, real>(l, count, true, arena);
  if (l.dx) pack_along(l.w_ih, Cell::GATES * l.H, l.D, plan.w_ih);
  pack_along(l.w_hh, Cell::GATES * l.H, l.H, plan.w_hh);
  int64_t rows = Cell::GATES * l.H, sizes[4] = {rows * l.D, rows * l.H, rows, rows};
  real *total[4] = {l.dw_ih, l.dw_hh, l.db_ih, l.db_hh};
  for (int i = 0; i < 4; i++)
    if (total[i]) memset(total[i], 0, sizeof(real) * sizes[i]);
#pragma omp parallel for num_threads(count) schedule(static, 1) if (count > 1)
  for (int number = 0; number < count; number++) {
    Layer<real> own = l;
    if (real *part = plan.gradients[number]) {
      memset(part, 0, sizeof(real) * rows * (l.D + l.H + 2));
      real **to[4] = {&own.dw_ih, &own.dw_hh, &own.db_ih, &own.db_hh};
      for (int i = 0; i < 4; part += sizes[i++])
        if (*to[i]) *to[i] = part;
    }
    backward<Cell>(own, plan.shares[number], plan.w_ih, plan.w_hh);
  }
  for (int number = 1; number < count; number++) {
    const real *part = plan.gradients[number];
    for (int i = 0; i < 4; part += sizes[i++])
      if (total[i])
        for (int64_t at = 0; at < sizes[i]; at++) total[i][at] += part[at];
  }
  return 0;
}

// What Python calls: 0 is done, 1 is out of memory.
#define EXPORT(NAME, CELL, REAL)                                                                       \
  extern "C" int NAME##_forward(const Layer<REAL> *layer, int64_t threads) { return run_forward<CELL>(*layer, threads); }  \
  extern "C" int NAME##_backward(const Layer<REAL> *layer, int64_t threads) { return run_backward<CELL>(*layer, threads); }
EXPORT(RNNCell_float32, Vanilla, float)
EXPORT(LSTMCell_float32, LSTM, float)
EXPORT(GRUCell_float32, GRU, float)
EXPORT(RNNCell_float64, Vanilla, double)
EXPORT(LSTMCell_float64, LSTM, double)
EXPORT(GRUCell_float64, GRU, double)
extern "C" int vector_bytes() { return BYTES; }  // tells Python how wide a padded row is
