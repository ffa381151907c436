// Values that change their places, sums of values, states, outputs of masked steps.

extern "C" __global__ void pack(const Pack p) {
  for (int i = blockIdx.x; i < p.count; i += gridDim.x) {
    const PackTask t = p.tasks[i];
    const float* from = p.weights + t.from;
    float* to = p.packed + t.to;
    for (unsigned j = blockIdx.y * blockDim.x + threadIdx.x; j < t.k * t.width; j += gridDim.y * blockDim.x) {
      const unsigned k = j / t.width, unit = j % t.width;
      const float x = t.transposed ? from[unit * t.columns + k] : from[k * t.columns + unit];
      to[(k * t.gates + t.gate) * t.width + unit] = x;
    }
  }
}

extern "C" __global__ void copy_in(const CopyIn p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    at(p.to, time, row, p.rows)[i] = p.x[((long long)row * p.steps + time) * p.width + i];
  }
}

extern "C" __global__ void copy_out(const CopyOut p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    p.y[((long long)row * p.steps + time) * p.width + i] = at(p.from, time, row, p.rows)[i];
  }
}

extern "C" __global__ void gather(const Gather p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    const unsigned id = p.ids[(long long)row * p.steps + time];
    at(p.to, time, row, p.rows)[i] = p.table[(long long)id * p.width + i];
  }
}

// A thread adds up one float of one row of the table: no atomics, and the order of the CPU. The grid is large enough for
// as many ids as the batch has places; how many came is only known on the device.
extern "C" __global__ void scatter(const Scatter p) {
  // Ids stand for rows here.
  EACH_FLOAT(p.width, *p.count, 1) {
    const int which = row;
    float* to = p.gradient + (long long)p.ids[which] * p.width + i;
    float sum = *to;
    for (unsigned place = p.starts[which]; place < p.starts[which + 1]; ++place) {
      const unsigned where = p.places[place];
      sum += at(p.from, where % p.steps, where / p.steps, p.rows)[i];
    }
    *to = sum;
  }
}

extern "C" __global__ void mask_ids(const MaskIds p) {
  EACH_FLOAT(1, p.rows, p.steps) {
    *at(p.to, time, row, p.rows) = p.ids[(long long)row * p.steps + time] != 0 ? 1.0f : 0.0f;
  }
}

extern "C" __global__ void reshape(const Reshape p) {
  EACH_FLOAT(p.floats, p.rows, 1) {
    const int flat = i;
    at(p.to, flat / p.to_width, row, p.rows)[flat % p.to_width] =
        at(p.from, flat / p.from_width, row, p.rows)[flat % p.from_width];
  }
}

extern "C" __global__ void permute(const Permute p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    at(p.to, i, row, p.rows)[time] = at(p.from, time, row, p.rows)[i];
  }
}

extern "C" __global__ void reverse(const Reverse p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    at(p.to, p.steps - 1 - time, row, p.rows)[i] = at(p.from, time, row, p.rows)[i];
  }
}

extern "C" __global__ void repeat(const Repeat p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    at(p.to, time, row, p.rows)[i] = at(p.from, 0, row, p.rows)[i];
  }
}

extern "C" __global__ void sum_over_time(const SumOverTime p) {
  EACH_FLOAT(p.width, p.rows, 1) {
    float sum = 0.0f;
    for (int time = 0; time < p.steps; ++time) sum += at(p.from, time, row, p.rows)[i];
    at(p.to, 0, row, p.rows)[i] = sum;
  }
}

extern "C" __global__ void sum(const Sum p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    at(p.to, time, row, p.rows)[i] = at(p.from, time, row, p.rows)[i] + at(p.and_, time, row, p.rows)[i];
  }
}

extern "C" __global__ void clear(const Clear p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    at(p.to, p.first + time, row, p.rows)[i] = 0.0f;
  }
}

extern "C" __global__ void copy(const CopyStep p) {
  EACH_FLOAT(p.width, p.rows, 1) {
    at(p.to, p.to_time, row, p.rows)[i] = at(p.from, p.from_time, row, p.rows)[i];
  }
}

extern "C" __global__ void hold(const Hold p) {
  EACH_FLOAT(p.width, p.rows, 1) {
    if (!is_valid(p.mask, p.time, row, p.rows))
      at(p.to, p.time, row, p.rows)[i] = at(p.from, p.time, row, p.rows)[i];
  }
}

// The steps of a row come one after the other: each may hold what the one before has just been given. Of an output of
// which only the last step counts, the first place has the latest: it starts with zeros.
extern "C" __global__ void hold_outputs(const HoldOutputs p) {
  EACH_FLOAT(p.width, p.rows, 1) {
    if (p.output.extent == LAST) {
      const int last = p.steps - 1;
      if (is_valid(p.mask, last, row, p.rows)) continue;
      float held = 0.0f;
      if (!p.zero) {
        // The latest step that counts has left its output in the first place.
        for (int time = last - 1; time >= 0; --time)
          if (is_valid(p.mask, time, row, p.rows)) {
            held = p.output.base[(long long)row * p.output.row + i];
            break;
          }
      }
      at(p.output, last, row, p.rows)[i] = held;
      continue;
    }
    for (int time = 0; time < p.steps; ++time) {
      if (is_valid(p.mask, time, row, p.rows)) continue;
      const bool nothing = p.zero || time == 0;
      at(p.output, time, row, p.rows)[i] = nothing ? 0.0f : at(p.output, time - 1, row, p.rows)[i];
    }
  }
}

extern "C" __global__ void release(const Release p) {
  EACH_FLOAT(p.width, p.rows, 1) {
    for (int time = p.steps - 1; time > 0; --time)
      if (!is_valid(p.mask, time, row, p.rows))
        at(p.output, time - 1, row, p.rows)[i] += at(p.output, time, row, p.rows)[i];
  }
}

extern "C" __global__ void clear_masked(const ClearMasked p) {
  EACH_FLOAT(p.width, p.rows, p.steps) {
    if (!is_valid(p.mask, time, row, p.rows)) at(p.to, time, row, p.rows)[i] = 0.0f;
  }
}

// Thread `threadIdx.x` of a block goes over every 256th float of a row; its row is the block's.
extern "C" __global__ void penalty(const Penalty p) {
  __shared__ double room[256];
  const int row = blockIdx.x;
  double sum = 0.0;
  for (int index = threadIdx.x; index < p.steps * p.width; index += 256) {
    const double v = at(p.value, index / p.width, row, p.rows)[index % p.width];
    sum += (double)p.l1 * fabs(v) + (double)p.l2 * v * v;
  }
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) p.to[row] = sum;
}

extern "C" __global__ void penalty_backward(const PenaltyBackward p) {
  const float share = 1.0f / (float)p.rows;
  EACH_FLOAT(p.width, p.rows, p.steps) {
    const float v = at(p.value, time, row, p.rows)[i];
    at(p.gradient, time, row, p.rows)[i] += share * (p.l1 * sign(v) + 2.0f * p.l2 * v);
  }
}
