//! Writes the fused kernels of a model as CUDA: the tables become constants of a type, the maths its functions.

use std::fmt::Write as _;

use rnn_tables::{Buffer, BufferRef, Extent};

use super::{
    code::CudaKernel,
    layout::{Packing, extent_number, row_len},
};

/// A kernel as text.
pub(super) struct KernelSource {
    /// The text.
    pub text: String,
    /// The buffers that it names, in the order of its `Offsets`.
    pub buffers: Vec<usize>,
    /// Positions of a warp.
    pub positions: usize,
}

/// Positions of a warp of a kernel with products: weights that are read serve all of them.
const POSITIONS: usize = 4;

/// Writes kernel number `index`, whose buffers are `specs`.
pub(super) fn kernel(
    index: usize,
    k: &CudaKernel,
    specs: &[Buffer],
    packing: &Packing,
) -> KernelSource {
    let mut refs = Refs {
        specs,
        buffers: Vec::new(),
    };
    let t = k.table;
    let positions = if t.products.is_empty() { 1 } else { POSITIONS };
    let mut out = String::new();
    let gates: Vec<usize> = t
        .products
        .iter()
        .map(|p| p.first().map_or(0, |s| s.gates))
        .collect();

    let mut products = String::new();
    for (i, product) in t.products.iter().enumerate() {
        for s in *product {
            let operand = refs.of(&s.operand);
            let (matrix, gates) = (packing.start(s.matrix), gates[i]);
            let _ = writeln!(
                products,
                "    product<{operand}, {}, {}, {gates}, {}>(run, offsets, p, run.packed + {matrix}, unit, sums.p{i});",
                s.k, t.width, s.carried
            );
        }
    }
    let loads = choose(
        "I",
        t.loads.iter().map(|r| {
            format!(
                "return {}::at(run, offsets, p.time[r], p.row[r])[unit];",
                refs.of(r)
            )
        }),
    );
    let vectors = choose(
        "I",
        t.vectors
            .iter()
            .map(|v| format!("return run.packed[{} + unit];", packing.start(*v))),
    );
    let scalars = choose(
        "I",
        t.scalars.iter().map(|r| {
            format!(
                "return *{}::at(run, offsets, p.time[r], p.row[r]);",
                refs.of(r)
            )
        }),
    );
    let sizes = choose("I", k.sizes.iter().map(|n| format!("return {n}.0f;")));
    let gate_values = choose(
        "PRODUCT",
        (0..gates.len()).map(|i| format!("return sums.p{i}[r][GATE];")),
    );
    let stores = choose(
        "I",
        t.stores.iter().map(|r| {
            let last = specs[r.buffer].extent == Extent::Last;
            let guard = match last {
                true => format!(
                    "if (!is_latest(run, p.time[r] + {}, p.row[r])) return; ",
                    i32::from(r.after)
                ),
                false => String::new(),
            };
            format!(
                "{guard}{}::at(run, offsets, p.time[r], p.row[r])[unit] = x;",
                refs.of(r)
            )
        }),
    );
    let adds = choose(
        "I",
        t.stores.iter().map(|r| {
            format!(
                "{}::at(run, offsets, p.time[r], p.row[r])[unit] += x;",
                refs.of(r)
            )
        }),
    );
    let sets = choose(
        "I",
        t.reductions.iter().map(|r| {
            format!(
                "*{}::at(run, offsets, p.time[r], p.row[r]) = x;",
                refs.of(r)
            )
        }),
    );
    let reductions = t.reductions.len();

    let name = format!("Kernel{index}");
    let _ = writeln!(out, "struct {name} {{");
    let _ = writeln!(
        out,
        "  static constexpr int WIDTH = {}, BUFFERS = {}, REDUCTIONS = {reductions};\n  static constexpr bool ADDS = {};",
        t.width,
        refs.buffers.len(),
        k.adds
    );
    let _ = writeln!(out, "  template <int R> struct Sums {{");
    for (i, gates) in gates.iter().enumerate() {
        let _ = writeln!(out, "    float p{i}[R][{gates}];");
    }
    let _ = writeln!(out, "  }};");
    let _ = writeln!(
        out,
        "  template <int R> struct Reduced {{ float x[R][{}]; }};",
        reductions.max(1)
    );
    let _ = writeln!(
        out,
        "  template <int R> static __device__ __forceinline__ void start(Reduced<R>& reduced) {{"
    );
    for (list, first) in [(k.sums, "-0.0f"), (k.maxima, "-__int_as_float(0x7f800000)")] {
        for i in list {
            let _ = writeln!(
                out,
                "    for (int r = 0; r < R; ++r) reduced.x[r][{i}] = {first};"
            );
        }
    }
    let _ = writeln!(out, "  }}");
    let _ = writeln!(
        out,
        "  template <int R> static __device__ __forceinline__ void products(const Run& run, const Offsets<BUFFERS>& offsets, const Positions<R>& p, int unit, Sums<R>& sums) {{"
    );
    for (i, gates) in gates.iter().enumerate() {
        let _ = writeln!(
            out,
            "    for (int r = 0; r < R; ++r) for (int gate = 0; gate < {gates}; ++gate) sums.p{i}[r][gate] = 0.0f;"
        );
    }
    let _ = writeln!(out, "{products}  }}");
    let _ = write!(
        out,
        "  template <int R> struct Tile {{
    const Run& run; const Offsets<BUFFERS>& offsets; const Positions<R>& p; const int r, unit;
    const Sums<R>& sums; Reduced<R>& reduced;
    template <int I> __device__ __forceinline__ float load() const {{ {loads} }}
    template <int I> __device__ __forceinline__ float vector() const {{ {vectors} }}
    template <int I> __device__ __forceinline__ float scalar() const {{ {scalars} }}
    template <int I> __device__ __forceinline__ float size() const {{ {sizes} }}
    template <int PRODUCT, int GATE> __device__ __forceinline__ float gate() const {{ {gate_values} }}
    template <int I> __device__ __forceinline__ void store(float x) const {{ {stores} }}
    template <int I> __device__ __forceinline__ void add(float x) const {{ {adds} }}
    template <int I> __device__ __forceinline__ void sum(float x) {{ reduced.x[r][I] += x; }}
    template <int I> __device__ __forceinline__ void max(float x) {{
      const float old = reduced.x[r][I];
      reduced.x[r][I] = old != old ? old : x != x ? x : old > x ? old : x;
    }}
    template <int I> __device__ __forceinline__ void set(float x) const {{ {sets} }}
    __device__ __forceinline__ void body() {{ {body}}}
    __device__ __forceinline__ void epilogue() {{ {epilogue}}}
  }};
  template <int R> static __device__ __forceinline__ void tile(const Run& run, const Offsets<BUFFERS>& offsets, const Positions<R>& p, int r, int unit, const Sums<R>& sums, Reduced<R>& reduced) {{
    Tile<R> t{{run, offsets, p, r, unit, sums, reduced}};
    t.body();
  }}
  template <int R> static __device__ __forceinline__ void finish(const Run& run, const Offsets<BUFFERS>& offsets, const Positions<R>& p, int r, int lane, Reduced<R>& reduced) {{
    Sums<R> none;
    Tile<R> t{{run, offsets, p, r, 0, none, reduced}};
",
        body = k.body,
        epilogue = k.epilogue,
    );
    for (list, fold) in [(k.sums, "fold_sum"), (k.maxima, "fold_max")] {
        for i in list {
            let _ = writeln!(
                out,
                "    const float {fold}{i} = {fold}(reduced.x[r][{i}]);"
            );
        }
    }
    let _ = writeln!(out, "    if (lane != 0) return;");
    for (list, fold) in [(k.sums, "fold_sum"), (k.maxima, "fold_max")] {
        for i in list {
            let _ = writeln!(out, "    t.template set<{i}>({fold}{i});");
        }
    }
    let _ = write!(
        out,
        "    t.epilogue();
  }}
}};
extern \"C\" __global__ void __launch_bounds__(256) kernel{index}(const Run run, const Offsets<Kernel{index}::BUFFERS> offsets) {{ fused<{name}, {positions}>(run, offsets); }}
"
    );
    KernelSource {
        text: out,
        buffers: refs.buffers,
        positions,
    }
}

/// The buffers that a kernel names.
struct Refs<'a> {
    specs: &'a [Buffer],
    buffers: Vec<usize>,
}

impl Refs<'_> {
    /// The type of a vector.
    fn of(&mut self, r: &BufferRef) -> String {
        let index = self.buffers.iter().position(|b| *b == r.buffer);
        let index = index.unwrap_or_else(|| {
            self.buffers.push(r.buffer);
            self.buffers.len() - 1
        });
        let spec = &self.specs[r.buffer];
        format!(
            "Ref<{index}, {}, {}, {}, {}>",
            extent_number(spec.extent),
            row_len(spec.width),
            r.offset,
            i32::from(r.after)
        )
    }
}

/// One statement for each value of a constant.
fn choose(constant: &str, cases: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for (i, case) in cases.enumerate() {
        let otherwise = if i == 0 { "" } else { "else " };
        let _ = write!(
            text,
            "{otherwise}if constexpr ({constant} == {i}) {{ {case} }} "
        );
    }
    text
}
