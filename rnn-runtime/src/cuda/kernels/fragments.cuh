// What models whose products are made by tensor cores need beside their own kernels: weights packed as fragments, gradients of
// matrices.

// As layout.rs numbers them.
constexpr unsigned TF32 = 1, BF16 = 2;

// One gate of a matrix, `[block of 16 units][tile of K][gate][lane][4 words]`. Lane t of four has numbers K / 4 * t and on of
// a tile, one after another, so that it reads those of the operand at once. Units and numbers that the matrix has not are zeros.
template <class T>
INLINE void pack_fragments_of(const Pack& p, const PackTask& task) {
  const float* from = p.weights + task.from;
  unsigned* to = reinterpret_cast<unsigned*>(p.packed + task.to);
  const unsigned tiles = (task.k + T::K - 1) / T::K;
  const unsigned words = (task.width + 15) / 16 * tiles * 128;
  for (unsigned j = blockIdx.y * blockDim.x + threadIdx.x; j < words; j += gridDim.y * blockDim.x) {
    const unsigned tile = j / 128, lane = j % 128 / 4, word = j % 4;
    const unsigned unit = tile / tiles * 16 + lane / 4 + 8 * (word & 1);
    const unsigned first = tile % tiles * T::K + T::K / 4 * (lane % 4) + T::NUMBERS * (word >> 1);
    float x[T::NUMBERS];
#pragma unroll
    for (int i = 0; i < T::NUMBERS; ++i) {
      const unsigned k = first + i;
      x[i] = 0.0f;
      if (k < task.k && unit < task.width) x[i] = task.transposed ? from[unit * task.columns + k] : from[k * task.columns + unit];
    }
    to[(tile * task.gates + task.gate) * 128 + j % 128] = T::word(x);
  }
}

extern "C" __global__ void pack_fragments(const Pack p) {
  for (int i = blockIdx.x; i < p.count; i += gridDim.x) {
    const PackTask task = p.tasks[i];
    switch (task.precision) {
      case TF32: pack_fragments_of<Tf32>(p, task); break;
      case BF16: pack_fragments_of<Bf16>(p, task); break;
      default: pack_fragments_of<F16>(p, task);
    }
  }
}

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

extern "C" __global__ void __launch_bounds__(256, 1) matrix_gradient_tf32(const MatrixGradient p) {
  matrix_gradient_of<TensorTile<Tf32>>(p);
}

extern "C" __global__ void __launch_bounds__(256, 1) matrix_gradient_bf16(const MatrixGradient p) {
  matrix_gradient_of<TensorTile<Bf16>>(p);
}
