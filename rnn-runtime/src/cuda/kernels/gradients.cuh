// Gradients of weights: sums over all rows and steps, in an order that is always the same.

// The tile of a block by exact products: a thread has 2 by 2 of it.
struct ExactTile {
  // Floats from one place to the next in shared memory.
  static constexpr int ROW = 32;
  float sums[4];

  // The row and the column of a sum.
  static INLINE int i(int sum) { return (threadIdx.x >> 4) + 16 * (sum >> 1); }
  static INLINE int j(int sum) { return (threadIdx.x & 15) + 16 * (sum & 1); }

  // Adds the products of 16 places.
  INLINE void add(const float (&xs)[16][ROW], const float (&ys)[16][ROW]) {
#pragma unroll
    for (int place = 0; place < 16; ++place)
#pragma unroll
      for (int sum = 0; sum < 4; ++sum) sums[sum] = fmaf(ys[place][j(sum)], xs[place][i(sum)], sums[sum]);
  }
};

extern "C" __global__ void __launch_bounds__(256, 1) matrix_gradient(const MatrixGradient p) { matrix_gradient_of<ExactTile>(p); }

extern "C" __global__ void add_parts(const AddParts p) {
  EACH(index, (unsigned)p.k * (unsigned)p.width) {
    float sum = 0.0f;
    for (int part = 0; part < p.parts; ++part) sum += p.from[(long long)part * p.k * p.width + index];
    p.to[(long long)(index / (unsigned)p.width) * p.columns + index % (unsigned)p.width] += sum;
  }
}

// A block has 32 columns, 8 threads of each.
extern "C" __global__ void vector_gradient(const VectorGradient p) {
  __shared__ float room[8][32];
  const int lane = threadIdx.x & 31, part = threadIdx.x >> 5;
  const int column = 32 * blockIdx.x + lane;
  const unsigned places = (unsigned)p.rows * (unsigned)p.steps;
  const unsigned each = (places + p.parts - 1) / p.parts;
  const unsigned first = each * blockIdx.y, end = min(first + each, places);
  float sum = 0.0f;
  if (column < p.width)
    for (unsigned where = first + part; where < end; where += 8) {
      const int time = where / (unsigned)p.rows, row = where % (unsigned)p.rows;
      if (is_valid(p.mask, time, row, p.rows)) sum += at(p.gradient, time, row, p.rows)[column];
    }
  room[part][lane] = sum;
  __syncthreads();
  if (part != 0 || column >= p.width) return;
  for (int i = 1; i < 8; ++i) sum += room[i][lane];
  if (p.parts == 1) p.to[column] += sum;
  else p.to[blockIdx.y * p.width + column] = sum;
}
