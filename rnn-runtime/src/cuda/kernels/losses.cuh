// Losses and metrics, as on the host (rnn-runtime/src/host/losses.rs): each row in double, by 16 lanes whose sums are added
// up in order, so that all bits are those of the host but for the last one of a logarithm.

#define INFINITE __int_as_float(0x7f800000)

// As in rnn-runtime/src/cpu/math/float64.rs.
__device__ __forceinline__ double exp64(double x) {
  if (x < -708.0) x = -708.0;
  const double biased = 6755399441055744.0 + 1023.0;
  const double t = x * 1.4426950408889634 + biased;
  const double n = t - biased;
  const double r = (x - n * 6.931471803691238e-1) - n * 1.9082149292705877e-10;
  double y = 1.0 / 39916800.0;
  y = y * r + 1.0 / 3628800.0;
  y = y * r + 1.0 / 362880.0;
  y = y * r + 1.0 / 40320.0;
  y = y * r + 1.0 / 5040.0;
  y = y * r + 1.0 / 720.0;
  y = y * r + 1.0 / 120.0;
  y = y * r + 1.0 / 24.0;
  y = y * r + 1.0 / 6.0;
  y = y * r + 0.5;
  y = y * r + 1.0;
  y = y * r + 1.0;
  return y * __longlong_as_double(__double_as_longlong(t) << 52);
}

__device__ __forceinline__ double log1p64(double x) {
  const double w = x / (2.0 + x), w2 = w * w;
  double y = 1.0 / 29.0;
  for (int k = 27; k > 0; k -= 2) y = y * w2 + 1.0 / k;
  return 2.0 * w * y;
}

// What a loss or a metric of one row reads and writes. All 16 lanes of a row are at the same place.
struct ScoredRow {
  const float* prediction;
  // Numbers, or null: then `label` is the target.
  const float* target;
  // Null: nobody wants it.
  float* gradient;
  unsigned label;
  int features;
  int lane;
  // The lanes of this row.
  unsigned lanes;
  // The gradient is multiplied by these, one after the other.
  float scale, share;

  // The sum over the lanes, in order.
  __device__ __forceinline__ double sum(double x) const {
    double all = __shfl_sync(lanes, x, 0, 16);
    for (int i = 1; i < 16; ++i) all += __shfl_sync(lanes, x, i, 16);
    return all;
  }

  __device__ __forceinline__ int sum(int x) const {
    for (int half = 8; half > 0; half /= 2) x += __shfl_xor_sync(lanes, x, half, 16);
    return x;
  }

  __device__ __forceinline__ void store(int i, double slope) const {
    float g = (float)slope * scale;
    if (share != 1.0f) g *= share;
    gradient[i] = g;
  }

  // The sum of `value(i)` over the features.
  template <class F>
  __device__ __forceinline__ double over_features(F value) const {
    double all = 0.0;
    for (int i = lane; i < features; i += 16) all += value(i);
    return sum(all);
  }

  // Mean over the features of a cost of prediction and target, which also gives its derivative.
  template <class F>
  __device__ __forceinline__ double mean(F cost) const {
    const double n = features;
    return over_features([&](int i) {
      double slope = 0.0;
      const double value = cost((double)prediction[i], (double)target[i], slope);
      if (gradient != nullptr) store(i, slope / n);
      return value;
    }) / n;
  }

  // A target that a loss cannot use.
  __device__ __forceinline__ double unusable() const {
    const double nan = __longlong_as_double(0x7ff8000000000000ll);
    if (gradient != nullptr)
      for (int i = lane; i < features; i += 16) store(i, nan);
    return nan;
  }
};

// Value and derivative of the cross-entropy of yes or no.
__device__ __forceinline__ double clip(double p) {
  const double epsilon = 1e-7;
  return p < epsilon ? epsilon : p > 1.0 - epsilon ? 1.0 - epsilon : p;
}

__device__ __forceinline__ double is_inside(double p) { return p >= 1e-7 && p <= 1.0 - 1e-7 ? 1.0 : 0.0; }

__device__ __forceinline__ double binary(bool from_logits, double p, double t, double& slope) {
  if (from_logits) {
    const double small = exp64(-fabs(p));
    slope = (p >= 0.0 ? 1.0 : small) / (1.0 + small) - t;
    return fmax(p, 0.0) - p * t + log1p64(small);
  }
  const double c = clip(p);
  slope = is_inside(p) * ((1.0 - t) / (1.0 - c) - t / c);
  return -(t * log(c) + (1.0 - t) * log(1.0 - c));
}

// The share of each class in the target: one class, or numbers with smoothing.
struct OneClass {
  unsigned label;
  __device__ __forceinline__ double of(int i) const { return i == label ? 1.0 : 0.0; }
  __device__ __forceinline__ double total(const ScoredRow&) const { return 1.0; }
  template <class F>
  __device__ __forceinline__ double sum(const ScoredRow& r, F value) const { return value((double)r.prediction[label]); }
};

struct AllClasses {
  const float* target;
  double scale, offset;
  __device__ __forceinline__ double of(int i) const { return (double)target[i] * scale + offset; }
  __device__ __forceinline__ double total(const ScoredRow& r) const {
    return r.over_features([&](int i) { return of(i); });
  }
  template <class F>
  __device__ __forceinline__ double sum(const ScoredRow& r, F value) const {
    // A class with share 0 does not count, not even with a logit of -infinity.
    return r.over_features([&](int i) {
      const double share = of(i);
      return share == 0.0 ? 0.0 : share * value((double)r.prediction[i]);
    });
  }
};

// The largest number and the first index that has it; index 0 if all are NaN.
__device__ __forceinline__ int largest(const ScoredRow& r, const float* numbers, float& value) {
  float best = -INFINITE;
  int first = 0x7fffffff;
  for (int i = r.lane; i < r.features; i += 16)
    if (numbers[i] > best) best = numbers[i], first = i;
  for (int half = 8; half > 0; half /= 2) {
    const float other = __shfl_xor_sync(r.lanes, best, half, 16);
    const int index = __shfl_xor_sync(r.lanes, first, half, 16);
    if (other > best || (other == best && index < first)) best = other, first = index;
  }
  value = best;
  return first == 0x7fffffff ? 0 : first;
}

template <class S>
__device__ __forceinline__ double categorical(const ScoredRow& r, bool from_logits, S shares) {
  if (from_logits) {
    float top;
    largest(r, r.prediction, top);
    const double shift = top;
    // The exponentials are stored for the gradient, rounded as on the host.
    const double sum = r.over_features([&](int i) {
      const double exponential = exp64((double)r.prediction[i] - shift);
      if (r.gradient != nullptr) r.gradient[i] = (float)exponential;
      return exponential;
    });
    const double log_sum = log(sum);
    if (r.gradient != nullptr) {
      const double scale = shares.total(r) / sum;
      for (int i = r.lane; i < r.features; i += 16) r.store(i, scale * (double)r.gradient[i] - shares.of(i));
    }
    return -shares.sum(r, [&](double z) { return z - shift - log_sum; });
  }
  const double sum = r.over_features([&](int i) { return (double)r.prediction[i]; });
  if (r.gradient != nullptr) {
    const auto slope = [&](double p) { return -is_inside(p / sum) / clip(p / sum); };
    const double back = shares.sum(r, [&](double p) { return slope(p) * (p / sum); });
    for (int i = r.lane; i < r.features; i += 16) {
      const double p = r.prediction[i], share = shares.of(i);
      const double own = share == 0.0 ? 0.0 : share * slope(p);
      r.store(i, (own - back) / sum);
    }
  }
  return -shares.sum(r, [&](double p) { return log(clip(p / sum)); });
}

// As in engine/score.rs.
constexpr int SQUARED = 0, ABSOLUTE = 1, HUBER = 2, BINARY = 3, CATEGORICAL = 4, SPARSE = 5, BINARY_ACCURACY = 6, ACCURACY = 7,
              TOP_K = 8;

__device__ __forceinline__ double score(const ScoredRow& r, const ScoreRows& p) {
  const double option = p.option;
  switch (p.rule) {
    case SQUARED:
      return r.mean([](double p, double t, double& slope) {
        const double error = p - t;
        slope = 2.0 * error;
        return error * error;
      });
    case ABSOLUTE:
      return r.mean([](double p, double t, double& slope) {
        const double error = p - t;
        slope = error > 0.0 ? 1.0 : error < 0.0 ? -1.0 : error == 0.0 ? 0.0 : error;
        return fabs(error);
      });
    case HUBER:
      return r.mean([=](double p, double t, double& slope) {
        const double error = p - t, size = fabs(error);
        slope = size > option ? option * (error > 0.0 ? 1.0 : -1.0) : error;
        return size > option ? option * size - 0.5 * option * option : 0.5 * error * error;
      });
    case BINARY: {
      const bool from_logits = p.from_logits;
      return r.mean([=](double p, double t, double& slope) {
        return binary(from_logits, p, t * (1.0 - option) + 0.5 * option, slope);
      });
    }
    case CATEGORICAL:
      return categorical(r, p.from_logits, AllClasses{r.target, 1.0 - option, option / (double)r.features});
    case SPARSE:
      if (r.label >= (unsigned)r.features) return r.unusable();
      return categorical(r, p.from_logits, OneClass{r.label});
    case BINARY_ACCURACY: {
      const auto bit = [&](int i) { return r.prediction[i] > p.option ? 1.0f : 0.0f; };
      if (r.target == nullptr) return bit(0) == (float)r.label ? 1.0 : 0.0;
      int right = 0;
      for (int i = r.lane; i < r.features; i += 16) right += bit(i) == r.target[i];
      return (double)r.sum(right) / (double)r.features;
    }
    default: {
      float value;
      const unsigned label = r.target == nullptr ? r.label : largest(r, r.target, value);
      if (p.rule == ACCURACY) return largest(r, r.prediction, value) == label ? 1.0 : 0.0;
      if (label >= (unsigned)r.features) return 0.0;
      float own = r.prediction[label];
      if (own != own) own = -INFINITE;
      int above = 0;
      for (int i = r.lane; i < r.features; i += 16) above += r.prediction[i] > own;
      return r.sum(above) < p.k ? 1.0 : 0.0;
    }
  }
}

// How many rows are not masked; a step has `each` of them. One block.
extern "C" __global__ void count_rows(const CountRows p) {
  __shared__ double room[256];
  double count = 0.0;
  const unsigned places = (unsigned)p.rows * (unsigned)p.steps;
  for (unsigned place = threadIdx.x; place < places; place += 256)
    if (is_valid(p.mask, place % (unsigned)p.steps, place / (unsigned)p.steps, p.rows)) count += p.each;
  count = block_sum(count, room);
  if (threadIdx.x == 0) *p.to = count;
}

// A loss or metric of every row, and the gradient. Each block leaves the sum over its rows and that of their weights.
extern "C" __global__ void __launch_bounds__(256, 1) score_rows(const ScoreRows p) {
  __shared__ double room[256];
  const int lane = threadIdx.x & 15;
  const unsigned all = (unsigned)p.rows * (unsigned)p.steps * (unsigned)p.each;
  const double counted = fmax(p.counter == nullptr ? (double)all : *p.counter, 1.0);
  double sum = 0.0, weights = 0.0;
  for (unsigned index = 16 * blockIdx.x + (threadIdx.x >> 4); index < all; index += 16 * gridDim.x) {
    const unsigned part = index % (unsigned)p.each, place = index / (unsigned)p.each;
    const int time = place % (unsigned)p.steps, row = place / (unsigned)p.steps;
    ScoredRow r;
    r.prediction = at(p.prediction, time, row, p.rows) + (long long)part * p.features;
    r.target = p.floats == nullptr ? nullptr : p.floats + (long long)index * p.features;
    r.gradient = p.gradient.base == nullptr ? nullptr : at(p.gradient, time, row, p.rows) + (long long)part * p.features;
    r.label = p.floats == nullptr ? p.labels[index] : 0;
    r.features = p.features;
    r.lane = lane;
    r.lanes = 0xffffu << (threadIdx.x & 16);
    if (!is_valid(p.mask, time, row, p.rows)) {
      if (r.gradient != nullptr)
        for (int i = lane; i < p.features; i += 16) r.gradient[i] = 0.0f;
      continue;
    }
    const double weight = p.weights == nullptr ? 1.0f : p.weights[index];
    r.scale = (float)(weight / counted);
    r.share = (float)p.share;
    const double value = score(r, p);
    if (lane == 0) {
      sum += weight * value;
      weights += weight;
    }
  }
  sum = block_sum(sum, room);
  __syncthreads();
  weights = block_sum(weights, room);
  if (threadIdx.x == 0) {
    p.sums[2 * blockIdx.x] = sum;
    p.sums[2 * blockIdx.x + 1] = weights;
  }
}

// Adds up in order what blocks have left: `numbers` sums side by side. One block.
extern "C" __global__ void add_up(const AddUp p) {
  __shared__ double room[256];
  for (int k = 0; k < p.numbers; ++k) {
    double sum = 0.0;
    for (int i = threadIdx.x; i < p.count; i += 256) sum += p.from[i * p.stride + k];
    sum = block_sum(sum, room);
    if (threadIdx.x == 0) {
      const double value = sum / (p.counter == nullptr ? p.by : fmax(*p.counter, 1.0));
      p.to[k] = p.round ? (double)(float)value : value;
    }
    __syncthreads();
  }
}
