// Gradients of weights: sums over all rows and steps, in an order that is always the same.

// A block of 256 threads has a tile of 32 rows and 32 columns of the gradient, a thread 2 by 2 of it. The places (a row at
// a step) of the block's part come 16 at a time.
extern "C" __global__ void __launch_bounds__(256, 1) matrix_gradient(const MatrixGradient p) {
  __shared__ float xs[16][32], ys[16][32];
  const int i0 = 32 * blockIdx.x, j0 = 32 * blockIdx.y;
  const int tx = threadIdx.x & 15, ty = threadIdx.x >> 4;
  const unsigned places = (unsigned)p.rows * (unsigned)p.steps;
  const unsigned each = (places + p.parts - 1) / p.parts;
  const unsigned first = each * blockIdx.z, end = min(first + each, places);
  float sums[2][2] = {};
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
#pragma unroll
    for (int place = 0; place < 16; ++place)
#pragma unroll
      for (int a = 0; a < 2; ++a)
#pragma unroll
        for (int b = 0; b < 2; ++b)
          sums[a][b] = fmaf(ys[place][tx + 16 * b], xs[place][ty + 16 * a], sums[a][b]);
    __syncthreads();
  }
#pragma unroll
  for (int a = 0; a < 2; ++a)
#pragma unroll
    for (int b = 0; b < 2; ++b) {
      const int i = i0 + ty + 16 * a, j = j0 + tx + 16 * b;
      if (i >= p.k || j >= p.width) continue;
      if (p.parts == 1) p.to[(long long)i * p.columns + j] += sums[a][b];
      else p.to[((long long)blockIdx.z * p.k + i) * p.width + j] = sums[a][b];
    }
}

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
