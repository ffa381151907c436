// The one kernel: matrix products with the pointwise maths after them, for some rows of a batch at some steps. The
// text of each kernel (its tables as constants, its maths) is written by source.rs.
//
// A warp has a few positions (a row at a step) of a block of units. A shape says how its lanes divide them. A lane sums all
// gates of its units for its positions, runs the maths on them, and stores results once. Sums run over operands in order, so
// that all forms of a cell give the same bits.

constexpr int WARPS = 8;

// Packed weights where they are.
struct GlobalWeights {
  const float* packed;
  template <int AT>
  INLINE const float* at() const {
    return packed + AT;
  }
};

// Where the buffers of a kernel lie, in floats after the first value.
template <int N>
struct Offsets {
  long long at[N == 0 ? 1 : N];
};

// Vector number BUFFER of a kernel's buffers.
template <int BUFFER, int EXTENT, int ROW, int OFFSET, int AFTER>
struct Ref {
  // Four floats at a time can be read.
  static constexpr bool ALIGNED = OFFSET % 4 == 0 && ROW % 4 == 0;

  template <class OFFSETS>
  static INLINE float* at(const Run& run, const OFFSETS& offsets, int time, int row) {
    const int step = step_of<EXTENT>(time + AFTER, run.total);
    return run.values + offsets.at[BUFFER] + ((long long)step * run.rows + row) * ROW + OFFSET;
  }
};

// The positions of a lane.
template <int R>
struct Positions {
  int time[R];
  int row[R];
  bool counts[R];
  // One of the warp's counts.
  bool any;
};

// The positions from number `first` on and before `end`, of `steps` steps from `from` on.
template <int R>
INLINE Positions<R> positions(const Run& run, unsigned first, unsigned end, int from, int steps) {
  Positions<R> p;
  p.any = false;
  // A position that counts. An index that is not a constant would put the arrays into memory.
  int some_time = from, some_row = 0;
#pragma unroll
  for (int r = 0; r < R; ++r) {
    const unsigned i = first + r;
    const bool exists = i < end;
    // One step needs no division.
    const unsigned step = exists && steps > 1 ? i / (unsigned)run.rows : 0;
    p.time[r] = from + (int)step;
    p.row[r] = exists ? (int)(i - step * run.rows) : 0;
    const float* mask = run.mask;
    p.counts[r] = exists && (mask == nullptr || mask[((long long)p.time[r] * run.rows + p.row[r]) * run.mask_row] != 0.0f);
    if (p.counts[r]) {
      p.any = true;
      some_time = p.time[r];
      some_row = p.row[r];
    }
  }
  // Others read what one that counts reads: nothing is written there yet.
#pragma unroll
  for (int r = 0; r < R; ++r)
    if (!p.counts[r]) {
      p.time[r] = some_time;
      p.row[r] = some_row;
    }
  return p;
}

// Whether a value at a time is the one that a buffer of the last step keeps: that of the last step, or, for a row whose
// last step does not count, of the latest that does. All steps at once would write over one another.
INLINE bool is_latest(const Run& run, int time, int row) {
  if (run.steps == 1 || time + 1 == run.total) return true;
  if (run.mask == nullptr) return false;
  for (int later = time + 1; later < run.total; ++later)
    if (run.mask[((long long)later * run.rows + row) * run.mask_row] != 0.0f) return false;
  return true;
}

// The shape of exact products, and of kernels without any: a lane is a unit of 32, and has all R positions of the warp.
template <int R_>
struct Lanes {
  // Positions of a warp and of a lane, units of a warp and of a lane.
  static constexpr int POSITIONS = R_, R = R_, UNITS = 32, U = 1;
  // Lanes that are this far from one another have the same positions.
  static constexpr int APART = 1;

  using Positions = ::Positions<R>;

  static INLINE Positions positions(const Run& run, unsigned first, unsigned end, int from, int steps) {
    return ::positions<R>(run, first, end, from, steps);
  }

  static INLINE int unit(int block, int) { return 32 * block + (threadIdx.x & 31); }

  // Adds the product of an operand and a packed matrix, `[K][GATES][WIDTH]`, to the sums of a unit.
  template <class OPERAND, int K, int WIDTH, int GATES, bool CARRIED, class OFFSETS>
  static INLINE void product(const Run& run, const OFFSETS& offsets, const Positions& p, const float* matrix, int block, float (&sums)[R][GATES]);
};

template <int R_>
template <class OPERAND, int K, int WIDTH, int GATES, bool CARRIED, class OFFSETS>
INLINE void Lanes<R_>::product(const Run& run, const OFFSETS& offsets, const Positions& p, const float* matrix, int block, float (&sums)[R][GATES]) {
  if (CARRIED && run.fresh && p.time[0] == 0) return;
  const int unit = Lanes::unit(block, 0);
  const float* x[R];
#pragma unroll
  for (int r = 0; r < R; ++r) x[r] = OPERAND::at(run, offsets, p.time[r], p.row[r]);
  const float* w = matrix + (unit < WIDTH ? unit : WIDTH - 1);
  int k = 0;
  if constexpr (OPERAND::ALIGNED) {
#pragma unroll 2
    for (; k + 4 <= K; k += 4) {
      float g[4][GATES];
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int gate = 0; gate < GATES; ++gate) g[i][gate] = w[(i * GATES + gate) * WIDTH];
      w += 4 * GATES * WIDTH;
#pragma unroll
      for (int r = 0; r < R; ++r) {
        const float4 v = *reinterpret_cast<const float4*>(x[r] + k);
#pragma unroll
        for (int gate = 0; gate < GATES; ++gate) {
          sums[r][gate] = fmaf(g[0][gate], v.x, sums[r][gate]);
          sums[r][gate] = fmaf(g[1][gate], v.y, sums[r][gate]);
          sums[r][gate] = fmaf(g[2][gate], v.z, sums[r][gate]);
          sums[r][gate] = fmaf(g[3][gate], v.w, sums[r][gate]);
        }
      }
    }
  }
  for (; k < K; ++k) {
    float g[GATES];
#pragma unroll
    for (int gate = 0; gate < GATES; ++gate) g[gate] = w[gate * WIDTH];
    w += GATES * WIDTH;
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const float v = x[r][k];
#pragma unroll
      for (int gate = 0; gate < GATES; ++gate) sums[r][gate] = fmaf(g[gate], v, sums[r][gate]);
    }
  }
}

// The larger number, as on the CPU; NaN where one is.
INLINE float larger(float x, float y) { return x != x ? x : y != y ? y : x > y ? x : y; }

// Folds a sum over the lanes that have the same positions, in an order that is always the same.
template <class SHAPE>
INLINE float fold_sum(float x) {
#pragma unroll
  for (int half = 16; half >= SHAPE::APART; half /= 2) x += __shfl_xor_sync(0xffffffffu, x, half);
  return x;
}

template <class SHAPE>
INLINE float fold_max(float x) {
#pragma unroll
  for (int half = 16; half >= SHAPE::APART; half /= 2) {
    const float y = __shfl_xor_sync(0xffffffffu, x, half);
    x = larger(x, y);
  }
  return x;
}

// Runs a kernel for the positions of a warp, for the blocks of units from..to.
template <class KERNEL, class SHAPE, class WEIGHTS, class OFFSETS>
INLINE void run_tiles(const Run& run, const WEIGHTS& weights, const OFFSETS& offsets, const typename SHAPE::Positions& p, int from, int to) {
  typename KERNEL::template Reduced<SHAPE> reduced;
  KERNEL::template start<SHAPE>(reduced);
  for (int block = from; block < to; ++block) {
    typename KERNEL::template Sums<SHAPE> sums;
    KERNEL::template products<SHAPE>(run, weights, offsets, p, block, sums);
#pragma unroll
    for (int u = 0; u < SHAPE::U; ++u) {
      const int unit = SHAPE::unit(block, u);
      if (unit < KERNEL::WIDTH) {
#pragma unroll
        for (int r = 0; r < SHAPE::R; ++r)
          if (p.counts[r]) KERNEL::template tile<SHAPE>(run, offsets, p, r, SHAPE::R * u + r, unit, sums, reduced);
      }
    }
  }
  if constexpr (KERNEL::REDUCTIONS > 0) {
#pragma unroll
    for (int r = 0; r < SHAPE::R; ++r) {
      // Lanes with other positions fold with those that count.
      if (SHAPE::APART > 1 || p.counts[r]) KERNEL::template finish<SHAPE>(run, offsets, p, r, reduced);
    }
  }
}

// Runs a kernel for all positions: the steps and rows of the batch, divided among all warps of the grid.
template <class KERNEL, class SHAPE, class OFFSETS>
INLINE void fused(const Run& run, const OFFSETS& offsets) {
  // What is added up over the steps of a row goes step by step.
  const int rounds = KERNEL::ADDS ? run.steps : 1;
  const int steps = KERNEL::ADDS ? 1 : run.steps;
  // A block has as few warps as leave no multiprocessor without work.
  const unsigned first = (blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5)) * SHAPE::POSITIONS;
  const unsigned end = (unsigned)steps * (unsigned)run.rows;
  if (first >= end) return;
  constexpr int BLOCKS = (KERNEL::WIDTH + SHAPE::UNITS - 1) / SHAPE::UNITS;
  // A sum over units needs all of them.
  const int from = KERNEL::REDUCTIONS > 0 ? 0 : blockIdx.y;
  const int to = KERNEL::REDUCTIONS > 0 ? BLOCKS : from + 1;
  const GlobalWeights weights{run.packed};
  for (int round = 0; round < rounds; ++round) {
    const typename SHAPE::Positions p = SHAPE::positions(run, first, end, run.first + round, steps);
    if (p.any) run_tiles<KERNEL, SHAPE>(run, weights, offsets, p, from, to);
  }
}

// Runs a kernel at one step for the ROWS rows of this block, divided among its warps.
template <class KERNEL, class SHAPE, int ROWS, class WEIGHTS, class OFFSETS>
INLINE void step_of_rows(const Run& run, const WEIGHTS& weights, const OFFSETS& offsets, int time) {
  constexpr int BLOCKS = (KERNEL::WIDTH + SHAPE::UNITS - 1) / SHAPE::UNITS;
  constexpr int GROUPS = (ROWS + SHAPE::POSITIONS - 1) / SHAPE::POSITIONS;
  constexpr int TASKS = KERNEL::REDUCTIONS > 0 ? GROUPS : GROUPS * BLOCKS;
  // Positions that the block has no rows for are rows of the next one.
  unsigned end = run.rows;
  if (ROWS % SHAPE::POSITIONS != 0) end = min(end, (blockIdx.x + 1) * ROWS);
  for (int task = threadIdx.x >> 5; task < TASKS; task += WARPS) {
    const unsigned first = blockIdx.x * ROWS + task % GROUPS * SHAPE::POSITIONS;
    const typename SHAPE::Positions p = SHAPE::positions(run, first, end, time, 1);
    if (!p.any) continue;
    const int from = KERNEL::REDUCTIONS > 0 ? 0 : task / GROUPS;
    run_tiles<KERNEL, SHAPE>(run, weights, offsets, p, from, KERNEL::REDUCTIONS > 0 ? BLOCKS : from + 1);
  }
}

// The states of this block's masked rows go from step to step.
template <class FROM, class TO, int WIDTH, int ROWS, class OFFSETS>
INLINE void hold_rows(const Run& run, const OFFSETS& offsets, int time) {
  for (int i = threadIdx.x; i < ROWS * WIDTH; i += 32 * WARPS) {
    const int row = blockIdx.x * ROWS + i / WIDTH, unit = i % WIDTH;
    if (row >= run.rows || run.mask[((long long)time * run.rows + row) * run.mask_row] != 0.0f) continue;
    TO::at(run, offsets, time, row)[unit] = FROM::at(run, offsets, time, row)[unit];
  }
}
