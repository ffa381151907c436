// Random numbers of a layer: those of the CPU (rnn-runtime/src/cpu/ops/{dropout,normal}.rs), each computed from its
// place, so that both passes draw the same.

// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
__device__ __forceinline__ unsigned long long mix(unsigned long long x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

__device__ __forceinline__ unsigned long long key_of(const unsigned long long* seeds, unsigned long long stream, int row, int step) {
  const unsigned long long key = mix(seeds[0] ^ mix(seeds[1] ^ mix(stream)));
  const unsigned long long place =
      ((unsigned long long)row << 32) ^ ((unsigned long long)step * 0x9E3779B9ull);
  return mix(key ^ place);
}

// Whether value i is not dropped.
__device__ __forceinline__ bool keeps(unsigned long long key, int i, float rate) {
  const unsigned long long threshold = (unsigned long long)((double)rate * 4294967296.0);
  return mix(key + (unsigned long long)i) >> 32 >= threshold;
}

__device__ __forceinline__ void round_of(unsigned& x, unsigned& y, int bits) {
  x += y;
  y = ((y << bits) | (y >> (32 - bits))) ^ x;
}

// Standard normal number n under a key: Threefry-2x32 in 13 rounds (Salmon and others, 2011), then Box and Muller (1958).
__device__ __forceinline__ float normal(unsigned long long key, long long n) {
  const int within = n % 32;
  const unsigned long long pair = (unsigned long long)(n / 32) * 16 + within % 16;
  const unsigned k0 = (unsigned)key, k1 = (unsigned)(key >> 32), k2 = k0 ^ k1 ^ 0x1BD11BDAu;
  // Nothing is carried within 16 pairs.
  const unsigned long long block = pair & ~15ull;
  unsigned x = (unsigned)block + (unsigned)(pair & 15), y = (unsigned)(block >> 32);
  x += k0; y += k1;
  round_of(x, y, 13); round_of(x, y, 15); round_of(x, y, 26); round_of(x, y, 6);
  x += k1; y += k2 + 1;
  round_of(x, y, 17); round_of(x, y, 29); round_of(x, y, 16); round_of(x, y, 24);
  x += k2; y += k0 + 2;
  round_of(x, y, 13); round_of(x, y, 15); round_of(x, y, 26); round_of(x, y, 6);
  x += k0; y += k1 + 3;
  round_of(x, y, 17);
  // 31 bits to (0, 1]: the logarithm is finite. 24 bits, which a float holds, to [-pi, pi).
  const float u = ((float)(int)(x >> 1) + 0.5f) * (1.0f / 2147483648.0f);
  const float angle = (float)((int)y >> 8) * (3.14159265358979323846f / 8388608.0f);
  const float radius = sqrtf(fmaxf(0.0f, -2.0f * logf(u)));
  return radius * (within < 16 ? cosine(angle) : sine(angle));
}

extern "C" __global__ void perturb(const Perturb p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    const float x = at(p.from, time, row, p.rows)[i];
    float y = x;
    if (p.kind == 0) {
      const unsigned long long key = key_of(p.seeds, p.stream, row, p.every_step ? time : 0);
      // Adding an offset of 0 would lose the sign of -0.
      const float kept = p.offset == 0.0f ? x * p.scale : x * p.scale + p.offset;
      y = keeps(key, i, p.rate) ? kept : p.dropped;
    } else if (p.kind < 3) {
      const unsigned long long key = key_of(p.seeds, p.stream, row, 0);
      const float n = normal(key, p.every_step ? (long long)time * p.width + i : i);
      y = p.kind == 1 ? x + p.stddev * n : x * (1.0f + p.stddev * n);
    }
    at(p.to, time, row, p.rows)[i] = y;
  }
}

extern "C" __global__ void dropout_mask(const DropoutMask p) {
  const float scale = p.rate < 1.0f ? 1.0f / (1.0f - p.rate) : 0.0f;
  EACH_FLOAT(p.width, p.rows, 1) {
    const unsigned long long key = key_of(p.seeds, p.stream, row, 0);
    at(p.to, 0, row, p.rows)[i] = keeps(key, i, p.rate) ? scale : 0.0f;
  }
}
