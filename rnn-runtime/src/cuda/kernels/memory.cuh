// Where values lie, and how threads divide them.

#define INLINE __device__ __forceinline__

// As in rnn_tables::Extent.
constexpr int ONE = 0, RING = 1, ALL = 2, LAST = 3;

// The step of a buffer that holds a time.
template <int EXTENT>
__device__ __forceinline__ int step_of(int time, int total) {
  if constexpr (EXTENT == ONE) return 0;
  else if constexpr (EXTENT == RING) return time & 1;
  else if constexpr (EXTENT == ALL) return time;
  else return time + 1 == total;
}

__device__ __forceinline__ int step_of(int extent, int time, int total) {
  switch (extent) {
    case ONE: return 0;
    case RING: return time & 1;
    case ALL: return time;
    default: return time + 1 == total;
  }
}

// The vector of a row at a time.
__device__ __forceinline__ float* at(const View& v, int time, int row, int rows) {
  const int step = step_of(v.extent, time + v.after, v.total);
  return v.base + ((long long)step * rows + row) * v.row;
}

// Whether a step counts.
__device__ __forceinline__ bool is_valid(const View& mask, int time, int row, int rows) {
  return mask.base == nullptr || *at(mask, time, row, rows) != 0.0f;
}

// Every number below n, divided among the threads of a row of blocks. Divisions of 64 bits take dozens of instructions, so
// numbers have 32; steps are another axis of the grid.
#define EACH(index, n) \
  for (unsigned index = blockIdx.x * blockDim.x + threadIdx.x, end_ = (n); index < end_; index += gridDim.x * blockDim.x)

// Every float of a row, every row, every step: `i`, `row`, `time`.
#define EACH_FLOAT(width, rows, steps)                                        \
  for (int time = blockIdx.y; time < (steps); time += gridDim.y)              \
    EACH(index, (unsigned)(rows) * (unsigned)(width))                         \
      if (const int row = index / (unsigned)(width), i = index % (unsigned)(width); true)

// The sum over a block of 256 threads, in an order that is always the same; the first thread has it.
template <class T>
__device__ __forceinline__ T block_sum(T x, T (&room)[256]) {
  room[threadIdx.x] = x;
  __syncthreads();
  for (int half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) room[threadIdx.x] += room[threadIdx.x + half];
    __syncthreads();
  }
  return room[0];
}
