// A step of an optimizer, as on the host (rnn-runtime/src/host): the same operations in the same order, in float. A block has
// a chunk of a trained parameter.

// As in engine/optimize.rs.
constexpr int SGD = 0, MOMENTUM = 1, NESTEROV = 2, RMS = 3, RMS_MOMENTUM = 4, RMS_CENTERED = 5, RMS_BOTH = 6, ADAM = 7,
              AMSGRAD = 8, ADAGRAD = 9;
constexpr int CLIP_NORM = 1, CLIP_VALUE = 2, CLIP_GLOBAL_NORM = 3;
constexpr int MAX_NORM = 0, MIN_MAX_NORM = 1, UNIT_NORM = 2;

// A gradient with the derivative of the penalty.
__device__ __forceinline__ float penalized(const UpdateChunk& c, bool penalties, float g, float w) {
  if (!penalties || (c.l1 == 0.0f && c.l2 == 0.0f)) return g;
  const float sign = w > 0.0f ? 1.0f : w < 0.0f ? -1.0f : w == 0.0f ? 0.0f : w;
  return g + (c.l1 * sign + 2.0f * c.l2 * w);
}

// The sum of the squares of each chunk's gradients.
extern "C" __global__ void gradient_squares(const GradientSquares p) {
  __shared__ double room[256];
  const UpdateChunk c = p.chunks[blockIdx.x];
  double sum = 0.0;
  for (unsigned i = c.from + threadIdx.x; i < c.from + c.count; i += 256) {
    const double g = penalized(c, p.penalties, p.gradients[i], p.weights[i]);
    sum += g * g;
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) p.to[blockIdx.x] = sum;
}

// What the penalties of each chunk's weights cost.
extern "C" __global__ void weight_costs(const WeightCosts p) {
  __shared__ double room[256];
  const UpdateChunk c = p.chunks[blockIdx.x];
  double sum = 0.0;
  if (c.l1 != 0.0f || c.l2 != 0.0f)
    for (unsigned i = c.from + threadIdx.x; i < c.from + c.count; i += 256) {
      const double w = p.weights[i];
      // Not 0 times an infinite weight.
      if (c.l1 != 0.0f) sum += (double)c.l1 * fabs(w);
      if (c.l2 != 0.0f) sum += (double)c.l2 * (w * w);
    }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) p.to[blockIdx.x] = sum;
}

// The sums of the chunks of each parameter. A block has a parameter.
extern "C" __global__ void parameter_sums(const ParameterSums p) {
  __shared__ double room[256];
  const unsigned first = p.starts[blockIdx.x], end = p.starts[blockIdx.x + 1];
  double sum = 0.0;
  for (unsigned i = first + threadIdx.x; i < end; i += 256) sum += p.from[i];
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) p.to[blockIdx.x] = sum;
}

// What the gradients of a chunk are multiplied by, in one thread.
__device__ __forceinline__ double factor_of(const UpdateWeights& p, const UpdateChunk& c) {
  if (p.clip == CLIP_NORM) return p.bound / fmax(sqrt(p.squares[c.parameter]), p.bound);
  if (p.clip != CLIP_GLOBAL_NORM) return 1.0;
  double sum = 0.0;
  for (int i = 0; i < p.parameters; ++i) sum += p.squares[i];
  const double norm = sqrt(sum);
  // An infinite norm makes everything NaN, which shows it.
  return norm - norm == 0.0 ? p.bound / fmax(norm, p.bound) : norm - norm;
}

__device__ __forceinline__ void move(const UpdateWeights& p, unsigned i, float& w, float g) {
  switch (p.rule) {
    case SGD: w -= g * p.rate; break;
    case MOMENTUM:
    case NESTEROV: {
      const float m = p.slot0[i] * p.momentum - g * p.rate;
      p.slot0[i] = m;
      w += p.rule == NESTEROV ? m * p.momentum - g * p.rate : m;
      break;
    }
    case RMS:
    case RMS_MOMENTUM:
    case RMS_CENTERED:
    case RMS_BOTH: {
      const float v = p.rho * p.slot0[i] + p.rest_1 * (g * g);
      p.slot0[i] = v;
      float step;
      if (p.rule == RMS_CENTERED || p.rule == RMS_BOTH) {
        float* average = p.rule == RMS_BOTH ? p.slot2 : p.slot1;
        const float a = p.rho * average[i] + p.rest_1 * g;
        average[i] = a;
        step = p.rate * g / sqrtf(v - a * a + p.epsilon);
      } else {
        step = p.rate * g / sqrtf(v + p.epsilon);
      }
      if (p.rule == RMS_MOMENTUM || p.rule == RMS_BOTH) {
        step = p.momentum * p.slot1[i] + step;
        p.slot1[i] = step;
      }
      w -= step;
      break;
    }
    case ADAM:
    case AMSGRAD: {
      float m = p.slot0[i], v = p.slot1[i];
      m += (g - m) * p.rest_1;
      v += (g * g - v) * p.rest_2;
      p.slot0[i] = m;
      p.slot1[i] = v;
      if (p.rule == AMSGRAD) {
        v = fmaxf(p.slot2[i], v);
        p.slot2[i] = v;
      }
      w -= m * p.rate / (sqrtf(v) + p.epsilon);
      break;
    }
    default: {
      const float s = p.slot0[i] + g * g;
      p.slot0[i] = s;
      w -= p.rate * g / sqrtf(s + p.epsilon);
    }
  }
}

extern "C" __global__ void update_weights(const UpdateWeights p) {
  __shared__ double shared_factor;
  const UpdateChunk c = p.chunks[blockIdx.x];
  if (threadIdx.x == 0) shared_factor = factor_of(p, c);
  __syncthreads();
  const double factor = shared_factor;
  for (unsigned i = c.from + threadIdx.x; i < c.from + c.count; i += 256) {
    float w = p.weights[i];
    float g = penalized(c, p.penalties, p.gradients[i], w);
    if (p.clip == CLIP_VALUE) {
      const float bound = (float)p.bound;
      g = g < -bound ? -bound : g > bound ? bound : g;
    } else if (factor != 1.0) {
      g *= (float)factor;
    }
    if (p.decays) w -= w * p.decay;
    move(p, i, w, g);
    if (c.non_negative && w < 0.0f) w = 0.0f;
    p.weights[i] = w;
  }
}

// Gives the weights that share a norm another one. A block has `lanes` norms, 256 / lanes threads for each. A weight is
// at the sum of the places of its norm and of its member.
extern "C" __global__ void constrain(const Constrain p) {
  __shared__ double room[256];
  const unsigned lanes = p.lanes, lane = threadIdx.x % lanes, part = threadIdx.x / lanes, parts = 256 / lanes;
  const unsigned norm = blockIdx.x * lanes + lane;
  const bool exists = norm < p.norms;
  float* weights = p.weights + (exists ? p.places[norm] : 0);
  const auto members = p.places + p.norms;
  double sum = 0.0;
  if (exists)
    for (unsigned i = part; i < p.members; i += parts) {
      const double w = weights[members[i]];
      sum += w * w;
    }
  room[threadIdx.x] = sum;
  __syncthreads();
  sum = 0.0;
  for (unsigned i = 0; i < parts; ++i) sum += room[i * lanes + lane];
  const double length = sqrt(sum);
  double wanted = 1.0;
  if (p.kind == MAX_NORM) wanted = fmin(length, p.max);
  if (p.kind == MIN_MAX_NORM) {
    const double inside = fmin(fmax(length, p.min), p.max);
    wanted = p.rate * inside + (1.0 - p.rate) * length;
  }
  const double factor = wanted / (1e-7 + length);
  if (exists)
    for (unsigned i = part; i < p.members; i += parts) {
      float& w = weights[members[i]];
      w = (float)((double)w * factor);
    }
}
