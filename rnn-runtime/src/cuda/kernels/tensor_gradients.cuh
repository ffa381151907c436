// Gradients of matrices by tensor cores.

// The tile of a block: a warp has 16 rows and 8 columns of it.
template <class T>
struct TensorTile {
  // Lanes that read at once read from different banks.
  static constexpr int ROW = 36;
  float sums[4];

  static INLINE int i(int sum) { return 16 * (threadIdx.x >> 5 & 1) + (threadIdx.x >> 2 & 7) + 8 * (sum >> 1); }
  static INLINE int j(int sum) { return 8 * (threadIdx.x >> 6) + 2 * (threadIdx.x & 3) + (sum & 1); }

  // Column `column` at the places of a word, the first or the second half of them.
  static INLINE unsigned word(const float (&values)[16][ROW], int tile, int half, int column) {
    const int first = T::K * tile + 2 * (threadIdx.x & 3) + (T::NUMBERS == 1 ? half : 8 * half);
    float x[T::NUMBERS];
#pragma unroll
    for (int n = 0; n < T::NUMBERS; ++n) x[n] = values[first + n][column];
    return T::word(x);
  }

  INLINE void add(const float (&xs)[16][ROW], const float (&ys)[16][ROW]) {
    const int column = 8 * (threadIdx.x >> 6) + (threadIdx.x >> 2 & 7);
#pragma unroll
    for (int tile = 0; tile < 16 / T::K; ++tile) {
      const uint4 a = {word(xs, tile, 0, i(0)), word(xs, tile, 0, i(2)), word(xs, tile, 1, i(0)), word(xs, tile, 1, i(2))};
      const unsigned b[2] = {word(ys, tile, 0, column), word(ys, tile, 1, column)};
      T::multiply(sums, a, b);
    }
  }
};
