// Functions of the cell language that CUDA has not, as in rnn-runtime/src/cpu/math.

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__device__ __forceinline__ float inverse_root(float x) { return 1.0f / sqrtf(x); }

// 1, -1, or x itself where that is 0 or NaN.
__device__ __forceinline__ float sign(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x; }

// log(1 + e^x), of which neither a large x nor a small result is lost.
__device__ __forceinline__ float softplus(float x) { return (x > 0.0f ? x : x != x ? x : 0.0f) + log1pf(expf(-fabsf(x))); }
