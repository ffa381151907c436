// BatchNormalization by the statistics of the batch (Ioffe and Szegedy, 2015), as on the CPU
// (rnn-runtime/src/cpu/ops/normalize.rs): sums in double, two passes.
//
// A block of 256 threads has 32 units; 8 threads of each unit go over the rows and steps.

__device__ __forceinline__ double column_sum(double x, double (&room)[8][32]) {
  const int lane = threadIdx.x & 31, part = threadIdx.x >> 5;
  __syncthreads();
  room[part][lane] = x;
  __syncthreads();
  double sum = 0.0;
  for (int i = 0; i < 8; ++i) sum += room[i][lane];
  return sum;
}

extern "C" __global__ void statistics(const Statistics p) {
  __shared__ double room[8][32];
  const int lane = threadIdx.x & 31, part = threadIdx.x >> 5;
  const int unit = 32 * blockIdx.x + lane;
  const bool exists = unit < p.width;
  const unsigned places = (unsigned)p.rows * (unsigned)p.steps;
  double sum = 0.0, count = 0.0;
  for (unsigned i = part; i < places; i += 8) {
    const int time = i % (unsigned)p.steps, row = i / (unsigned)p.steps;
    if (!is_valid(p.mask, time, row, p.rows)) continue;
    count += 1.0;
    if (exists) sum += at(p.input, time, row, p.rows)[unit];
  }
  count = column_sum(count, room);
  // With a mask Keras adds its epsilon, so that there is always something to divide by.
  if (p.mask.base != nullptr) count += 1e-7;
  const double mean = column_sum(sum, room) / count;
  sum = 0.0;
  for (unsigned i = part; i < places; i += 8) {
    const int time = i % (unsigned)p.steps, row = i / (unsigned)p.steps;
    if (!exists || !is_valid(p.mask, time, row, p.rows)) continue;
    const double d = at(p.input, time, row, p.rows)[unit] - mean;
    sum += d * d;
  }
  const double variance = column_sum(sum, room) / count;
  if (part != 0 || !exists) return;
  const double keep = 1.0 - (double)p.momentum;
  float* moving = p.moving_mean + unit;
  *moving += (float)((mean - *moving) * keep);
  moving = p.moving_variance + unit;
  *moving += (float)((variance - *moving) * keep);
  at(p.saved, 0, 0, p.rows)[unit] = (float)mean;
  at(p.saved, 1, 0, p.rows)[unit] = (float)(1.0 / sqrt(variance + (double)p.epsilon));
}

extern "C" __global__ void normalize(const Normalize p) {
  const float *mean = at(p.saved, 0, 0, p.rows), *inverse = at(p.saved, 1, 0, p.rows);
  EACH_FLOAT(p.width, p.rows, p.steps) {
    const float gamma = p.gamma == nullptr ? 1.0f : p.gamma[i];
    const float beta = p.beta == nullptr ? 0.0f : p.beta[i];
    const float x = at(p.input, time, row, p.rows)[i];
    at(p.output, time, row, p.rows)[i] = (x - mean[i]) * inverse[i] * gamma + beta;
  }
}

// `gamma` and `beta` are gradients here; `means` are two rows.
extern "C" __global__ void normalize_sums(const NormalizeSums p) {
  __shared__ double room[8][32];
  const int lane = threadIdx.x & 31, part = threadIdx.x >> 5;
  const int unit = 32 * blockIdx.x + lane;
  const bool exists = unit < p.width;
  const unsigned places = (unsigned)p.rows * (unsigned)p.steps;
  const float mean = exists ? at(p.saved, 0, 0, p.rows)[unit] : 0.0f;
  const float inverse = exists ? at(p.saved, 1, 0, p.rows)[unit] : 0.0f;
  double d_gamma = 0.0, d_beta = 0.0, count = 0.0;
  for (unsigned i = part; i < places; i += 8) {
    const int time = i % (unsigned)p.steps, row = i / (unsigned)p.steps;
    if (is_valid(p.mask, time, row, p.rows)) count += 1.0;
    if (!exists) continue;
    const float d = at(p.d_output, time, row, p.rows)[unit];
    const float normal = (at(p.input, time, row, p.rows)[unit] - mean) * inverse;
    d_gamma += d * normal;
    d_beta += d;
  }
  count = column_sum(count, room);
  if (p.mask.base != nullptr) count += 1e-7;
  d_gamma = column_sum(d_gamma, room);
  d_beta = column_sum(d_beta, room);
  if (part != 0 || !exists) return;
  if (p.gamma != nullptr) p.gamma[unit] += (float)d_gamma;
  if (p.beta != nullptr) p.beta[unit] += (float)d_beta;
  p.means[unit] = (float)(d_beta / count);
  p.means[p.width + unit] = (float)(d_gamma / count);
}

extern "C" __global__ void normalize_backward(const NormalizeBackward p) {
  const float *mean = at(p.saved, 0, 0, p.rows), *inverse = at(p.saved, 1, 0, p.rows);
  EACH_FLOAT(p.width, p.rows, p.steps) {
    const float normal = (at(p.input, time, row, p.rows)[i] - mean[i]) * inverse[i];
    const float d = at(p.d_output, time, row, p.rows)[i];
    // A masked step moves no statistic.
    const float share = is_valid(p.mask, time, row, p.rows) ? p.means[i] + normal * p.means[p.width + i] : 0.0f;
    const float scale = (p.gamma == nullptr ? 1.0f : p.gamma[i]) * inverse[i];
    at(p.d_input, time, row, p.rows)[i] = scale * (d - share);
  }
}
