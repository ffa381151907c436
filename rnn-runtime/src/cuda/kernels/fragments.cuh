// Weights packed as fragments, for models whose products are made by tensor cores.

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
