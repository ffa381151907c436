//! Writes the fused kernels of a model as CUDA: the tables become constants of a type, the maths its functions.
//!
//! Each kernel is a type (`Kernel7`) that `kernels/fused.cuh` runs, for all steps at once or one step at a time. The kernels of
//! a step are also written as one **persistent kernel**: a block that runs them for its own rows over all steps, with the weights in
//! its shared memory. It is written for blocks of one row and of several; a batch needs one of them ([`Block`]).

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use rnn_tables::{Buffer, BufferRef, CarryOver, Extent, Form, Kernel, PackedOffset, Slice};

use super::{
    code::{CudaForm, CudaKernel},
    layout::{FRAGMENT_UNITS, Packing, extent_number, packed_floats, row_len},
};
use crate::precision::Precision;

/// Rows of a block of a persistent kernel whose products are made in `precision`, unless there are so few that each has a block: a
/// block has no fewer than a warp.
pub(super) fn persistent_rows(precision: Precision) -> usize {
    match precision {
        Precision::Float32 => 4,
        _ => Shape::Tensor(precision).positions(),
    }
}

/// How many rows a block of a persistent kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// As few as leave no multiprocessor without work.
    One,
    /// [`persistent_rows`].
    Several,
}

impl Block {
    /// That of a batch of so many rows.
    pub fn of(rows: usize, multiprocessors: usize) -> Block {
        match rows <= multiprocessors {
            true => Block::One,
            false => Block::Several,
        }
    }

    /// Its rows, where products are made in `precision`.
    pub fn rows(self, precision: Precision) -> usize {
        match self {
            Block::One => 1,
            Block::Several => persistent_rows(precision),
        }
    }

    /// What the names of its kernels start with.
    pub fn name(self) -> &'static str {
        match self {
            Block::One => "single",
            Block::Several => "persistent",
        }
    }
}

/// How the lanes of a warp divide its positions and units.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A lane is a unit of 32, and has all of so many positions.
    Lanes(usize),
    /// What products by tensor cores in this precision ask for: 8 positions and 16 units.
    Tensor(Precision),
}

impl Shape {
    /// That of a kernel with products, in this precision, or without.
    fn of(k: &Kernel, precision: Precision) -> Shape {
        match precision {
            _ if k.products.is_empty() => Shape::Lanes(1),
            // Weights that are read serve all positions.
            Precision::Float32 => Shape::Lanes(4),
            _ => Shape::Tensor(precision),
        }
    }

    /// Positions of a warp.
    pub fn positions(self) -> usize {
        match self {
            Shape::Lanes(positions) => positions,
            Shape::Tensor(_) => 8,
        }
    }

    /// Units of a warp.
    pub fn units(self) -> usize {
        match self {
            Shape::Lanes(_) => 32,
            Shape::Tensor(_) => FRAGMENT_UNITS,
        }
    }

    /// In a block of a persistent kernel with so many rows, for so many units: as many warps as possible have work, and weights that are
    /// read serve as many rows as possible.
    fn persistent(self, width: usize, block: usize) -> Shape {
        let rows = match (self, width) {
            (Shape::Tensor(_), _) => return self,
            (_, 0..=64) => 1,
            (_, 65..=128) => 2,
            _ => block,
        };
        Shape::Lanes(rows.min(block))
    }
}

impl fmt::Display for Shape {
    /// Its type in CUDA.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Lanes(positions) => write!(f, "Lanes<{positions}>"),
            Shape::Tensor(Precision::Bf16) => f.write_str("Tensor<Bf16>"),
            Shape::Tensor(Precision::F16) => f.write_str("Tensor<F16>"),
            Shape::Tensor(Precision::Tf32 | Precision::Float32) => f.write_str("Tensor<Tf32>"),
        }
    }
}

/// Writes the kernels of a program.
pub(super) struct Source<'a> {
    specs: &'a [Buffer],
    packing: &'a Packing,
    kernels: usize,
}

/// A kernel that has been written: its name is `kernel` and its number.
pub(super) struct Written {
    /// Its number.
    pub index: usize,
    /// What a warp has.
    pub shape: Shape,
    /// Its type.
    pub text: String,
}

/// A persistent kernel that has been written: its name is that of its [`Block`] and its number.
pub(super) struct WrittenPersistent {
    /// Its number.
    pub index: usize,
    /// Floats of shared memory.
    pub shared: usize,
    /// The types that its entry needs.
    types: String,
    /// Copies the weights.
    copies: String,
    /// Which step is the next.
    order: &'static str,
    /// A step, for each block.
    steps: [String; 2],
}

impl WrittenPersistent {
    /// Its types, and its entry for blocks of these rows; it has so many buffers.
    pub fn text(&self, block: Block, buffers: usize) -> String {
        let WrittenPersistent {
            index,
            types,
            copies,
            order,
            steps: [one, several],
            ..
        } = self;
        let name = block.name();
        let body = match block {
            Block::One => one,
            Block::Several => several,
        };
        format!(
            "{types}
extern \"C\" __global__ void __launch_bounds__(256, 1) {name}{index}(const Run run, const Offsets<{buffers}> offsets) {{
  extern __shared__ __align__(16) float room[];
{copies}  __syncthreads();
  const Weights{index} weights{{room}};
  for (int i = 0; i < run.steps; ++i) {{
    const int time = {order};
{body}  }}
}}
"
        )
    }
}

/// Why the kernels of a step are started one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stepwise {
    /// There are none.
    NoKernels,
    /// They read no weights, so there is nothing to keep in shared memory.
    NoWeights,
    /// Their weights need so many bytes of shared memory.
    TooLarge(usize),
}

/// The buffers that some kernels name, in the order of their `Offsets`.
#[derive(Default)]
pub(super) struct Buffers(pub Vec<usize>);

impl<'a> Source<'a> {
    /// No kernels yet, over these buffers.
    pub fn new(specs: &'a [Buffer], packing: &'a Packing) -> Self {
        Source {
            specs,
            packing,
            kernels: 0,
        }
    }

    /// What every text starts with.
    pub fn head(&self) -> String {
        let mut text = super::parameters::declarations();
        for part in super::operations::COMMON {
            text += part;
        }
        text += include_str!("kernels/fused.cuh");
        if self.packing.precision != Precision::Float32 {
            text += include_str!("kernels/tensor.cuh");
            text += include_str!("kernels/fused_tensor.cuh");
        }
        text
    }

    /// A vector as a type.
    fn vector(&self, buffers: &mut Buffers, r: &BufferRef) -> String {
        let index = buffers.0.iter().position(|b| *b == r.buffer);
        let index = index.unwrap_or_else(|| {
            buffers.0.push(r.buffer);
            buffers.0.len() - 1
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

    /// Writes the type of a kernel of a form.
    pub fn kernel(&mut self, k: &CudaKernel, form: Form, buffers: &mut Buffers) -> Written {
        let index = self.kernels;
        self.kernels += 1;
        let t = k.table;
        let precision = self.packing.precision.of(form);
        let shape = Shape::of(t, precision);
        let gates: Vec<usize> = t
            .products
            .iter()
            .map(|p| p.first().map_or(0, |s| s.gates))
            .collect();
        let products = self.products(t, precision, &gates, buffers);
        let members = self.members(k, &gates, buffers);
        let mut sums = String::new();
        for (i, gates) in gates.iter().enumerate() {
            let _ = write!(sums, "float p{i}[SHAPE::R * SHAPE::U][{gates}]; ");
        }
        let (start, finish) = reductions(k);
        let text = format!(
            "
struct Kernel{index} {{
  static constexpr int WIDTH = {width}, REDUCTIONS = {reductions};
  static constexpr bool ADDS = {adds};
  template <class SHAPE> struct Sums {{ {sums}}};
  template <class SHAPE> struct Reduced {{ float x[SHAPE::R][{room}]; }};
  template <class SHAPE> static INLINE void start(Reduced<SHAPE>& reduced) {{
{start}  }}
  template <class SHAPE, class WEIGHTS, class OFFSETS>
  static INLINE void products(const Run& run, const WEIGHTS& weights, const OFFSETS& offsets, const typename SHAPE::Positions& p, int block, Sums<SHAPE>& sums) {{
{products}  }}
  template <class SHAPE, class OFFSETS> struct Tile {{
    const Run& run; const OFFSETS& offsets; const typename SHAPE::Positions& p; const int r, slot, unit;
    const Sums<SHAPE>& sums; Reduced<SHAPE>& reduced;
{members}
    INLINE void body() {{ {body}}}
    INLINE void epilogue() {{ {epilogue}}}
  }};
  template <class SHAPE, class OFFSETS>
  static INLINE void tile(const Run& run, const OFFSETS& offsets, const typename SHAPE::Positions& p, int r, int slot, int unit, const Sums<SHAPE>& sums, Reduced<SHAPE>& reduced) {{
    Tile<SHAPE, OFFSETS> t{{run, offsets, p, r, slot, unit, sums, reduced}};
    t.body();
  }}
  template <class SHAPE, class OFFSETS>
  static INLINE void finish(const Run& run, const OFFSETS& offsets, const typename SHAPE::Positions& p, int r, Reduced<SHAPE>& reduced) {{
    Sums<SHAPE> none;
    Tile<SHAPE, OFFSETS> t{{run, offsets, p, r, 0, 0, none, reduced}};
{finish}    t.epilogue();
  }}
}};
",
            width = t.width,
            reductions = t.reductions.len(),
            adds = k.adds,
            room = t.reductions.len().max(1),
            body = k.body,
            epilogue = k.epilogue,
        );
        Written { index, shape, text }
    }

    /// The entry of a kernel that has so many buffers.
    pub fn entry(written: &Written, buffers: usize) -> String {
        let (index, shape) = (written.index, written.shape);
        format!(
            "
extern \"C\" __global__ void __launch_bounds__(256, 1) kernel{index}(const Run run, const Offsets<{buffers}> offsets) {{
  fused<Kernel{index}, {shape}>(run, offsets);
}}
"
        )
    }

    /// The products of a kernel, one line each.
    fn products(
        &self,
        t: &Kernel,
        precision: Precision,
        gates: &[usize],
        buffers: &mut Buffers,
    ) -> String {
        let mut text = String::new();
        for (i, gates) in gates.iter().enumerate() {
            let _ = writeln!(
                text,
                "    for (int slot = 0; slot < SHAPE::R * SHAPE::U; ++slot) for (int gate = 0; gate < {gates}; ++gate) sums.p{i}[slot][gate] = 0.0f;"
            );
        }
        for (i, product) in t.products.iter().enumerate() {
            for s in *product {
                let operand = self.vector(buffers, &s.operand);
                let (matrix, gates) = (self.packing.start(s.matrix, precision), gates[i]);
                let _ = writeln!(
                    text,
                    "    SHAPE::template product<{operand}, {}, {}, {gates}, {}>(run, offsets, p, weights.template at<{matrix}>(), block, sums.p{i});",
                    s.k, t.width, s.carried
                );
            }
        }
        text
    }

    /// What the statements of a kernel call.
    fn members(&self, k: &CudaKernel, gates: &[usize], buffers: &mut Buffers) -> String {
        let t = k.table;
        let place = |r: String| format!("{r}::at(run, offsets, p.time[r], p.row[r])");
        let mut text = String::new();
        let mut member = |signature: &str, constant: &str, cases: Vec<String>| {
            let _ = write!(text, "    {signature} {{ ");
            for (i, case) in cases.iter().enumerate() {
                let otherwise = if i == 0 { "" } else { "else " };
                let _ = write!(
                    text,
                    "{otherwise}if constexpr ({constant} == {i}) {{ {case} }} "
                );
            }
            text += "}\n";
        };
        let mut vectors = |list: &[BufferRef]| -> Vec<String> {
            list.iter()
                .map(|r| place(self.vector(buffers, r)))
                .collect()
        };
        let (loads, scalars) = (vectors(t.loads), vectors(t.scalars));
        let (stores, reductions) = (vectors(t.stores), vectors(t.reductions));
        let each = |list: &[String], f: &dyn Fn(&String) -> String| list.iter().map(f).collect();
        let i = "template <int I> INLINE";
        member(
            &format!("{i} float load() const"),
            "I",
            each(&loads, &|at| format!("return {at}[unit];")),
        );
        member(
            &format!("{i} float scalar() const"),
            "I",
            each(&scalars, &|at| format!("return *{at};")),
        );
        let packed = |v: &PackedOffset| {
            let start = self.packing.start(*v, Precision::Float32);
            format!("return run.packed[{start} + unit];")
        };
        member(
            &format!("{i} float vector() const"),
            "I",
            t.vectors.iter().map(packed).collect(),
        );
        member(
            &format!("{i} float size() const"),
            "I",
            k.sizes.iter().map(|n| format!("return {n}.0f;")).collect(),
        );
        member(
            "template <int PRODUCT, int GATE> INLINE float gate() const",
            "PRODUCT",
            (0..gates.len())
                .map(|i| format!("return sums.p{i}[slot][GATE];"))
                .collect(),
        );
        let store = |(at, r): (&String, &BufferRef)| match self.specs[r.buffer].extent {
            Extent::Last => format!(
                "if (is_latest(run, p.time[r] + {}, p.row[r])) {at}[unit] = x;",
                i32::from(r.after)
            ),
            _ => format!("{at}[unit] = x;"),
        };
        member(
            &format!("{i} void store(float x) const"),
            "I",
            stores.iter().zip(t.stores).map(store).collect(),
        );
        member(
            &format!("{i} void add(float x) const"),
            "I",
            each(&stores, &|at| format!("{at}[unit] += x;")),
        );
        member(
            &format!("{i} void set(float x) const"),
            "I",
            each(&reductions, &|at| format!("*{at} = x;")),
        );
        text += "    template <int I> INLINE void sum(float x) { reduced.x[r][I] += x; }
    template <int I> INLINE void max(float x) { reduced.x[r][I] = larger(reduced.x[r][I], x); }";
        text
    }

    /// Writes the kernels of a form's step as one persistent kernel over all steps. `written` are its step kernels, in order. Their
    /// weights may take so many bytes of shared memory.
    ///
    /// # Errors
    /// Why they cannot be one.
    pub fn persistent(
        &self,
        form: &CudaForm,
        written: &[&Written],
        carry: Option<&CarryOver>,
        buffers: &mut Buffers,
        bytes: usize,
    ) -> Result<WrittenPersistent, Stepwise> {
        let index = written.first().ok_or(Stepwise::NoKernels)?.index;
        let step = form.scan.step;
        let precision = self.packing.precision.of(form.form);
        // Where each matrix of the step stands in shared memory.
        let mut places: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let mut shared = 0;
        for k in step {
            for s in k.table.products.iter().copied().flatten() {
                let floats = packed_floats(precision, s.k, s.gates, k.table.width);
                let at = self.packing.start(s.matrix, precision);
                places.entry(at).or_insert_with(|| {
                    let place = shared;
                    shared += floats.next_multiple_of(4);
                    (place, floats)
                });
            }
        }
        if places.is_empty() {
            return Err(Stepwise::NoWeights);
        }
        if 4 * shared > bytes {
            return Err(Stepwise::TooLarge(4 * shared));
        }
        let (mut cases, mut copies) = (String::new(), String::new());
        for (at, (place, floats)) in &places {
            let _ = write!(cases, "if constexpr (AT == {at}) return room + {place}; ");
            let _ = writeln!(
                copies,
                "  for (int i = threadIdx.x; i < {floats}; i += blockDim.x) room[{place} + i] = run.packed[{at} + i];"
            );
            // NVRTC reads four floats at once where three are asked for, since they are there.
            let end = floats.next_multiple_of(4);
            if end > *floats {
                let _ = writeln!(
                    copies,
                    "  if (threadIdx.x < {}) room[{} + threadIdx.x] = 0.0f;",
                    end - floats,
                    place + floats
                );
            }
        }
        let mut types: String = written.iter().map(|w| &*w.text).collect();
        let _ = write!(
            types,
            "
struct Weights{index} {{
  const float* room;
  template <int AT> INLINE const float* at() const {{ {cases}}}
}};
"
        );
        let steps = [Block::One, Block::Several]
            .map(|block| self.steps(form, written, carry, buffers, block.rows(precision)));
        let order = match form.form {
            Form::Backward => "run.steps - 1 - i",
            _ => "i",
        };
        Ok(WrittenPersistent {
            index,
            shared,
            types,
            copies,
            order,
            steps,
        })
    }

    /// The kernels of a step, one after the other, for a block of so many rows.
    fn steps(
        &self,
        form: &CudaForm,
        written: &[&Written],
        carry: Option<&CarryOver>,
        buffers: &mut Buffers,
        block: usize,
    ) -> String {
        let mut body = String::new();
        for (k, one) in form.scan.step.iter().zip(written) {
            let (i, shape) = (one.index, one.shape.persistent(k.table.width, block));
            let call = format!(
                "step_of_rows<Kernel{i}, {shape}, {block}>(run, weights, offsets, time); __syncthreads();"
            );
            let _ = match k.only_state_gradients && !form.first {
                true => writeln!(body, "    if (time > 0) {{ {call} }}"),
                false => writeln!(body, "    {call}"),
            };
        }
        for Slice { at, width } in carry.map_or(&[][..], |c| c.states) {
            let before = self.vector(buffers, at);
            let after = BufferRef { after: true, ..*at };
            let after = self.vector(buffers, &after);
            let (from, to) = match form.form {
                Form::Backward => (after, before),
                _ => (before, after),
            };
            let _ = writeln!(
                body,
                "    hold_rows<{from}, {to}, {width}, {block}>(run, offsets, time);"
            );
        }
        if carry.is_some() {
            body += "    __syncthreads();\n";
        }
        body
    }
}

/// How reductions start, and how they end.
fn reductions(k: &CudaKernel) -> (String, String) {
    let (mut start, mut fold, mut set) = (String::new(), String::new(), String::new());
    for (list, first, how) in [
        (k.sums, "-0.0f", "fold_sum"),
        (k.maxima, "-__int_as_float(0x7f800000)", "fold_max"),
    ] {
        for i in list {
            let _ = writeln!(
                start,
                "    for (int r = 0; r < SHAPE::R; ++r) reduced.x[r][{i}] = {first};"
            );
            let _ = writeln!(
                fold,
                "    const float {how}{i} = {how}<SHAPE>(reduced.x[r][{i}]);"
            );
            let _ = writeln!(set, "    t.template set<{i}>({how}{i});");
        }
    }
    // All lanes fold; one writes.
    let others = "    if ((threadIdx.x & 31) >= SHAPE::APART || !p.counts[r]) return;\n";
    (start, format!("{fold}{others}{set}"))
}
