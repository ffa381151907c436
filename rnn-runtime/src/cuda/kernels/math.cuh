// Functions of the cell language that CUDA has not, as in rnn-runtime/src/cpu/math.

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__device__ __forceinline__ float inverse_root(float x) { return 1.0f / sqrtf(x); }

// 1, -1, or x itself where that is 0 or NaN.
__device__ __forceinline__ float sign(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x; }

// x, or 0 where |x| < 2^-63: see Unary::Flush of rnn-compiler/src/cell/graph.rs.
__device__ __forceinline__ float flush(float x) { return fabsf(x) < 0x1p-63f ? 0.0f : x; }

// log(1 + e^x), of which neither a large x nor a small result is lost.
__device__ __forceinline__ float softplus(float x) { return (x > 0.0f ? x : x != x ? x : 0.0f) + log1pf(expf(-fabsf(x))); }

// sin of x - q pi, negated for odd parity, as in rnn-runtime/src/cpu/math/trig.rs: exact enough for |x| <= 8192, and beyond
// it a number in [-1, 1]. CUDA's own takes memory of its own for arguments of any size.
__device__ __forceinline__ float sine_of(float x, float q, float parity) {
  float r = fmaf(-q, 3.140625f, x);
  r = fmaf(-q, 0.00096702576f, r);
  r = fmaf(-q, 6.277114e-7f, r);
  r = fmaf(-q, 1.2154201e-10f, r);
  r = fmaxf(-1.572f, fminf(1.572f, r));
  const float half = 0.5f * parity, odd = half - floorf(half);
  r *= fmaf(-4.0f, odd, 1.0f);
  const float r2 = r * r;
  float y = -2.5502912e-8f;
  y = fmaf(y, r2, 2.7627057e-6f);
  y = fmaf(y, r2, -1.9843093e-4f);
  y = fmaf(y, r2, 8.3333505e-3f);
  y = fmaf(y, r2, -1.6666667e-1f);
  y = fmaf(y * r2, r, r);
  // NaN where x is not finite.
  return fmaxf(-1.0f, fminf(1.0f, y)) + (x - x);
}

__device__ __forceinline__ float sine(float x) {
  const float q = rintf(x * 0.31830988618379067f);
  // The sign of -0 stays.
  return fabsf(x) < 1e-30f ? x : sine_of(x, q, q);
}

// cos x = sin(x + pi / 2).
__device__ __forceinline__ float cosine(float x) {
  const float k = rintf(fmaf(x, 0.31830988618379067f, 0.5f));
  return sine_of(x, k - 0.5f, k);
}
