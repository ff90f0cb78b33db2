// Calls every row of kernel.cpp over odd shapes, with arrays of exactly the size that Python hands over, under the
// sanitizers, and writes all results to the file that argv[1] names. KERNEL is the source to include.
#include KERNEL

#include <cmath>
#include <cstdio>
#include <vector>

static uint32_t state = 1;
static double drawn() { return ((state = state * 1664525u + 1013904223u) >> 8) / double(1 << 23) - 1; }

// An array of its own on the heap: one number too far is seen.
template <class real> struct Array {
  int64_t count;
  real *at;
  explicit Array(int64_t count, bool is_random = true) : count(count), at((real *)malloc(sizeof(real) * count)) {
    for (int64_t i = 0; i < count; i++) at[i] = is_random ? real(drawn()) : real(NAN);
  }
  Array(const Array &) = delete;
  ~Array() { free(at); }
  void write(FILE *file) const {
    for (int64_t i = 0; i < count; i++) {
      double value = at[i];
      if (value != value) fprintf(stderr, "a result was not written\n"), exit(1);
      fwrite(&value, sizeof value, 1, file);
    }
  }
};

template <class Cell, class real, class Call>
void row(FILE *file, Call forward, Call backward, int64_t T, int64_t B, int64_t D, int64_t H, int64_t threads, bool padded, int wanted) {
  constexpr int64_t G = Cell::GATES;
  const bool lstm = std::is_same<Cell, LSTM>::value;
  int64_t Hp = Layer<real>::round_up(H);
  Array<real> x(T * B * D), h0(B * H), c0(B * H), w_ih(G * H * D), w_hh(G * H * H), b_ih(G * H), b_hh(G * H);
  Array<int64_t> lengths(B);
  for (int64_t b = 0; b < B; b++) lengths.at[b] = 1 + (b * 5 + 2) % T;
  Array<real> h(T * B * H, false), h_last(B * H, false), c_last(B * H, false), quick(T * B * H, false);
  Array<real> gates(T * B * Cell::KEPT * Hp, false), c(T * B * Hp, false), dy(T * B * H), dh_last(B * H), dc_last(B * H);
  Array<real> dx(T * B * D, false), dh0(B * H, false), dc0(B * H, false), dw_ih(G * H * D, false), dw_hh(G * H * H, false),
      db_ih(G * H, false), db_hh(G * H, false);
  Array<real> *found[7] = {&dx, &dh0, &dc0, &dw_ih, &dw_hh, &db_ih, &db_hh};

  Layer<real> l{};
  l.T = T, l.B = B, l.D = D, l.H = H;
  l.x = x.at, l.h0 = h0.at, l.c0 = lstm ? c0.at : nullptr, l.w_ih = w_ih.at, l.w_hh = w_hh.at, l.b_ih = b_ih.at, l.b_hh = b_hh.at;
  l.lengths = lstm && padded ? lengths.at : nullptr;
  l.h = quick.at, l.h_last = h_last.at, l.c_last = lstm ? c_last.at : nullptr;
  if (forward(&l, threads)) exit(2);
  quick.write(file), h_last.write(file);
  l.h = h.at, l.gates = Cell::KEPT ? gates.at : nullptr, l.c = lstm ? c.at : nullptr;
  if (forward(&l, threads)) exit(2);
  h.write(file), h_last.write(file);
  if (lstm) c_last.write(file);
  l.dy = wanted % 3 ? dy.at : nullptr, l.dh_last = wanted % 4 ? dh_last.at : nullptr, l.dc_last = lstm && wanted % 5 ? dc_last.at : nullptr;
  real **to[7] = {&l.dx, &l.dh0, &l.dc0, &l.dw_ih, &l.dw_hh, &l.db_ih, &l.db_hh};
  for (int i = 0; i < 7; i++) *to[i] = wanted >> i & 1 && (lstm || i != 2) ? found[i]->at : nullptr;
  if (backward(&l, threads)) exit(2);
  for (int i = 0; i < 7; i++)
    if (*to[i]) found[i]->write(file);
}

int main(int, char **argv) {
  FILE *file = fopen(argv[1], "wb");
  const int64_t shapes[][5] = {  // T, B, D, H, threads
      {1, 1, 1, 1, 1}, {2, 1, 3, 17, 1}, {1, 5, 16, 16, 2}, {3, 7, 33, 18, 3}, {30, 23, 2, 5, 2}, {3, 520, 1, 2, 1}, {5, 3, 17, 35, 1},
  };
  int wanted = 127;
  for (auto &s : shapes)
    for (bool padded : {false, true}) {
#define ROW(CELL, KIND, REAL) row<KIND, REAL>(file, CELL##_forward, CELL##_backward, s[0], s[1], s[2], s[3], s[4], padded, wanted);
      ROW(RNNCell_float32, Vanilla, float)
      ROW(LSTMCell_float32, LSTM, float)
      ROW(GRUCell_float32, GRU, float)
      ROW(RNNCell_float64, Vanilla, double)
      ROW(LSTMCell_float64, LSTM, double)
      ROW(GRUCell_float64, GRU, double)
      wanted = padded ? 127 : (wanted * 37 + 11) % 128;
    }
  fclose(file);
}
