// What a GPU does at best, and what its barriers cost: the constants of the floor in table.py. `nvcc` builds it on the machine
// with the GPU. It prints lines `name,value,unit`; what fails prints nothing but a line on stderr.

#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace cg = cooperative_groups;

constexpr int THREADS = 256;

static bool fine(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return true;
  fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
  cudaGetLastError();
  return false;
}

// The median time of some runs, in nanoseconds; negative if one fails.
template <class F>
static double median(F run) {
  std::vector<double> times;
  cudaEvent_t from, to;
  cudaEventCreate(&from);
  cudaEventCreate(&to);
  for (int i = 0; i < 9; ++i) {
    cudaEventRecord(from);
    run();
    cudaEventRecord(to);
    if (!fine(cudaEventSynchronize(to), "a run") || !fine(cudaGetLastError(), "a launch")) return -1;
    float ms = 0;
    cudaEventElapsedTime(&ms, from, to);
    if (i >= 2) times.push_back(1e6 * ms);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

static void show(const char* name, double value, const char* unit) {
  if (value > 0) printf("%s,%.4g,%s\n", name, value, unit);
  fflush(stdout);
}

__global__ void nothing() {}

// Many sums side by side, so that only the rate of instructions counts.
__global__ void sums(float* out, int rounds) {
  float x[16];
#pragma unroll
  for (int i = 0; i < 16; ++i) x[i] = threadIdx.x + i;
  for (int round = 0; round < rounds; ++round)
#pragma unroll
    for (int i = 0; i < 16; ++i) x[i] = fmaf(x[i], 0.9999f, 0.5f);
  float all = 0;
#pragma unroll
  for (int i = 0; i < 16; ++i) all += x[i];
  if (all == -1.0f) *out = all;
}

__global__ void block_barriers(int rounds) {
  for (int i = 0; i < rounds; ++i) __syncthreads();
}

// A barrier among all blocks, as a persistent kernel over several blocks would have it: release, then acquire, through L2.
__global__ void grid_barriers(unsigned* arrived, int rounds) {
  for (int i = 1; i <= rounds; ++i) {
    __syncthreads();
    if (threadIdx.x == 0) {
      const unsigned target = i * gridDim.x;
      asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(arrived) : "memory");
      unsigned seen;
      do {
        asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(arrived) : "memory");
      } while (seen < target);
    }
    __syncthreads();
  }
}

// Blocks of a cluster write into each other's shared memory and wait for each other.
__global__ void cluster_barriers(float* out, int rounds) {
#if __CUDA_ARCH__ >= 900
  __shared__ float room[THREADS];
  cg::cluster_group cluster = cg::this_cluster();
  room[threadIdx.x] = threadIdx.x;
  cluster.sync();
  const unsigned peer = (cluster.block_rank() + 1) % cluster.num_blocks();
  float* theirs = cluster.map_shared_rank(room, peer);
  for (int i = 0; i < rounds; ++i) {
    theirs[threadIdx.x] = i;
    cluster.sync();
  }
  if (room[threadIdx.x] < 0) *out = room[threadIdx.x];
#endif
}

static double cluster_of(int blocks, float* out, int rounds) {
  if (blocks > 8 && !fine(cudaFuncSetAttribute(cluster_barriers, cudaFuncAttributeNonPortableClusterSizeAllowed, 1), "a cluster of 16"))
    return -1;
  cudaLaunchConfig_t config = {};
  config.gridDim = blocks;
  config.blockDim = THREADS;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = blocks;
  attribute.val.clusterDim.y = 1;
  attribute.val.clusterDim.z = 1;
  config.attrs = &attribute;
  config.numAttrs = 1;
  return median([&] { fine(cudaLaunchKernelEx(&config, cluster_barriers, out, rounds), "a cluster"); });
}

int main() {
  cudaDeviceProp gpu;
  if (!fine(cudaGetDeviceProperties(&gpu, 0), "the GPU")) return 1;
  const int many = 20000;
  float* out = nullptr;
  unsigned* arrived = nullptr;
  if (!fine(cudaMalloc(&out, 256), "memory") || !fine(cudaMalloc(&arrived, 256), "memory")) return 1;
  show("multiprocessors", gpu.multiProcessorCount, "");
  show("capability", 10 * gpu.major + gpu.minor, "");

  show("launch", median([] { for (int i = 0; i < 1000; ++i) nothing<<<1, 32>>>(); }) / 1000, "ns");
  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  cudaStreamCreate(&stream);
  if (fine(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "a graph")) {
    for (int i = 0; i < 1000; ++i) nothing<<<1, 32, 0, stream>>>();
    if (fine(cudaStreamEndCapture(stream, &graph), "a graph") && fine(cudaGraphInstantiate(&exec, graph, 0), "a graph"))
      show("kernel in a graph", median([&] { cudaGraphLaunch(exec, 0); }) / 1000, "ns");
  }

  const int blocks = 8 * gpu.multiProcessorCount, rounds = 20000;
  const double time = median([&] { sums<<<blocks, THREADS>>>(out, rounds); });
  show("float32 FMA", 2.0 * 16 * rounds * blocks * THREADS / time / 1e3, "TFLOP/s");

  const size_t bytes = 256 << 20;
  float *a = nullptr, *b = nullptr, *host = nullptr;
  if (fine(cudaMalloc(&a, bytes), "memory") && fine(cudaMalloc(&b, bytes), "memory") && fine(cudaMallocHost(&host, bytes), "pinned memory")) {
    show("memory", 2.0 * bytes / median([&] { cudaMemcpyAsync(a, b, bytes, cudaMemcpyDeviceToDevice); }), "GB/s");
    show("upload", bytes / median([&] { cudaMemcpyAsync(a, host, bytes, cudaMemcpyHostToDevice); }), "GB/s");
  }

  show("bar.sync of 256 threads", median([&] { block_barriers<<<1, THREADS>>>(many); }) / many, "ns");
  for (int n : {8, 32, gpu.multiProcessorCount}) {
    int count = many;
    void* arguments[] = {&arrived, &count};
    const double all = median([&] {
      cudaMemsetAsync(arrived, 0, 4);
      fine(cudaLaunchCooperativeKernel((void*)grid_barriers, n, THREADS, arguments), "a grid");
    });
    char name[64];
    snprintf(name, sizeof name, "barrier of %s%d blocks through L2", n == gpu.multiProcessorCount ? "all " : "", n);
    show(name, all / many, "ns");
  }
  if (gpu.major >= 9)
    for (int n : {8, 16}) {
      char name[64];
      snprintf(name, sizeof name, "barrier of a cluster of %d", n);
      show(name, cluster_of(n, out, many) / many, "ns");
    }
  return 0;
}
