// Products by tensor cores: the numbers that they multiply, and `mma.sync`, which is PTX. GPUs from sm_80 on have it.
//
// One product is that of a fragment A, 16 by K numbers, and a fragment B, K by 8, added to 16 by 8 floats. A lane has four words of A,
// two of B and four of the sums: with g = lane / 4 and t = lane % 4, word w of A is of row g + 8 (w % 2), words of B are of
// column g, and sum s is that of row g + 8 (s / 2) and column 2 t + s % 2. In which order K runs is free as long as A and
// B agree.

// Each type has: K; how many numbers a word has; numbers as a word; the product.
struct Tf32 {
  static constexpr int K = 8, NUMBERS = 1;
  static INLINE unsigned word(const float* x) {
    unsigned word;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(x[0]));
    return word;
  }
  static INLINE void multiply(float (&sums)[4], const uint4& a, const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b[0]), "r"(b[1]));
  }
};

struct Bf16 {
  static constexpr int K = 16, NUMBERS = 2;
  static INLINE unsigned word(const float* x) {
    unsigned word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(x[1]), "f"(x[0]));
    return word;
  }
  static INLINE void multiply(float (&sums)[4], const uint4& a, const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b[0]), "r"(b[1]));
  }
};

// Numbers beyond 65504 become infinite.
struct F16 {
  static constexpr int K = 16, NUMBERS = 2;
  static INLINE unsigned word(const float* x) {
    unsigned word;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(x[1]), "f"(x[0]));
    return word;
  }
  static INLINE void multiply(float (&sums)[4], const uint4& a, const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b[0]), "r"(b[1]));
  }
};
