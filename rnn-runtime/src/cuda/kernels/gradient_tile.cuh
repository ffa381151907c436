// The gradient of a matrix of weights, whatever its products are made by.

// A block of 256 threads has a tile of 32 rows and 32 columns of the gradient, a thread four sums of it. The places (a row at
// a step) of the block's part come 16 at a time.
template <class TILE>
INLINE void matrix_gradient_of(const MatrixGradient& p) {
  __shared__ float xs[16][TILE::ROW], ys[16][TILE::ROW];
  const int i0 = 32 * blockIdx.x, j0 = 32 * blockIdx.y;
  const unsigned places = (unsigned)p.rows * (unsigned)p.steps;
  const unsigned each = (places + p.parts - 1) / p.parts;
  const unsigned first = each * blockIdx.z, end = min(first + each, places);
  TILE tile = {};
  for (unsigned base = first; base < end; base += 16) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int place = (threadIdx.x >> 5) + 8 * half, lane = threadIdx.x & 31;
      const unsigned where = base + place;
      float x = 0.0f, y = 0.0f;
      if (where < end) {
        const int time = where / (unsigned)p.rows, row = where % (unsigned)p.rows;
        if (is_valid(p.mask, time, row, p.rows)) {
          if (i0 + lane < p.k) x = at(p.operand, time, row, p.rows)[i0 + lane];
          if (j0 + lane < p.width) y = at(p.gradient, time, row, p.rows)[j0 + lane];
        }
      }
      xs[place][lane] = x;
      ys[place][lane] = y;
    }
    __syncthreads();
    tile.add(xs, ys);
    __syncthreads();
  }
#pragma unroll
  for (int sum = 0; sum < 4; ++sum) {
    const int i = i0 + TILE::i(sum), j = j0 + TILE::j(sum);
    if (i >= p.k || j >= p.width) continue;
    if (p.parts == 1) p.to[(long long)i * p.columns + j] += tile.sums[sum];
    else p.to[((long long)blockIdx.z * p.k + i) * p.width + j] = tile.sums[sum];
  }
}
