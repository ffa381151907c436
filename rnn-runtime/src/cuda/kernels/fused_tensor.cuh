// The shape of products by tensor cores: a warp has 16 units and 8 positions, a lane two of each. Units are the rows of `mma.sync`
// and positions its columns, and each gate is a product of its own: so a lane has all gates of its units, and the maths runs
// on them where they are.
template <class T>
struct Tensor {
  static constexpr int POSITIONS = 8, R = 2, UNITS = 16, U = 2;
  static constexpr int APART = 4;

  struct Positions : ::Positions<2> {
    // The position whose operand the lane reads. One that does not count reads what one that counts reads.
    int operand_time, operand_row;
  };

  static INLINE Positions positions(const Run& run, unsigned first, unsigned end, int from, int steps) {
    const int lane = threadIdx.x & 31;
    const ::Positions<1> one = ::positions<1>(run, first + lane / 4, end, from, steps);
    const unsigned counting = __ballot_sync(0xffffffffu, one.counts[0]);
    Positions p;
    p.any = counting != 0;
    const int some = p.any ? __ffs(counting) - 1 : 0;
    const int some_time = __shfl_sync(0xffffffffu, one.time[0], some);
    const int some_row = __shfl_sync(0xffffffffu, one.row[0], some);
    p.operand_time = one.counts[0] ? one.time[0] : some_time;
    p.operand_row = one.counts[0] ? one.row[0] : some_row;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      // The lane that reads the operand of this lane's position.
      const int reader = 8 * (lane & 3) + 4 * r;
      p.counts[r] = (counting >> reader & 1) != 0;
      p.time[r] = __shfl_sync(0xffffffffu, p.operand_time, reader);
      p.row[r] = __shfl_sync(0xffffffffu, p.operand_row, reader);
    }
    return p;
  }

  static INLINE int unit(int block, int u) { return 16 * block + ((threadIdx.x & 31) >> 2) + 8 * u; }

  // The numbers of a lane in tile number `tile` of an operand, of which there are K.
  template <bool ALIGNED, bool WHOLE, int K>
  static INLINE void operand(const float* x, int tile, unsigned (&b)[2]) {
    constexpr int N = T::K / 4;
    const int first = T::K * tile + N * (threadIdx.x & 3);
    float numbers[N];
    if constexpr (ALIGNED && WHOLE && N == 4) {
      const float4 v = *reinterpret_cast<const float4*>(x + first);
      numbers[0] = v.x, numbers[1] = v.y, numbers[2] = v.z, numbers[3] = v.w;
    } else if constexpr (ALIGNED && WHOLE) {
      const float2 v = *reinterpret_cast<const float2*>(x + first);
      numbers[0] = v.x, numbers[1] = v.y;
    } else {
#pragma unroll
      for (int n = 0; n < N; ++n) numbers[n] = WHOLE || first + n < K ? x[first + n] : 0.0f;
    }
    b[0] = T::word(numbers);
    b[1] = T::word(numbers + N / 2);
  }

  // Adds the product of an operand and a matrix of fragments to the sums of a lane's units.
  template <class OPERAND, int K, int WIDTH, int GATES, bool CARRIED, class OFFSETS>
  static INLINE void product(const Run& run, const OFFSETS& offsets, const Positions& p, const float* matrix, int block, float (&sums)[4][GATES]) {
    if (CARRIED && run.fresh && p.operand_time == 0) return;
    // A product waits for the one before it with the same sums: with few gates there are several sums of each.
    constexpr int CHAINS = GATES >= 4 ? 1 : GATES >= 2 ? 2 : 4;
    // Fragments are read while the products of those before them are made.
    constexpr int AT_ONCE = CHAINS == 1 ? 2 : CHAINS;
    constexpr int WHOLE = K / T::K, TILES = (K + T::K - 1) / T::K;
    const float* x = OPERAND::at(run, offsets, p.operand_time, p.operand_row);
    const uint4* w = reinterpret_cast<const uint4*>(matrix) + 32 * GATES * TILES * block + (threadIdx.x & 31);
    float parts[CHAINS][GATES][4] = {};
    const auto multiply = [&](int tile, const unsigned (&b)[2], float (&to)[GATES][4]) {
#pragma unroll
      for (int gate = 0; gate < GATES; ++gate) T::multiply(to[gate], w[32 * (GATES * tile + gate)], b);
    };
    // Lanes have come different ways, and the product is the warp's.
    __syncwarp();
#pragma unroll 1
    for (int tile = 0; tile + AT_ONCE <= WHOLE; tile += AT_ONCE) {
#pragma unroll
      for (int i = 0; i < AT_ONCE; ++i) {
        unsigned b[2];
        operand<OPERAND::ALIGNED, true, K>(x, tile + i, b);
        multiply(tile + i, b, parts[i % CHAINS]);
      }
    }
#pragma unroll
    for (int tile = WHOLE - WHOLE % AT_ONCE; tile < WHOLE; ++tile) {
      unsigned b[2];
      operand<OPERAND::ALIGNED, true, K>(x, tile, b);
      multiply(tile, b, parts[tile % CHAINS]);
    }
    if constexpr (WHOLE < TILES) {
      unsigned b[2];
      operand<OPERAND::ALIGNED, false, K>(x, WHOLE, b);
      multiply(WHOLE, b, parts[WHOLE % CHAINS]);
    }
#pragma unroll
    for (int chain = 0; chain < CHAINS; ++chain)
#pragma unroll
      for (int gate = 0; gate < GATES; ++gate)
#pragma unroll
        for (int slot = 0; slot < 4; ++slot) sums[slot][gate] += parts[chain][gate][slot];
  }
};
