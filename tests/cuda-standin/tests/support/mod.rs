//! Runs PTX on the interpreter itself, with neither a driver nor NVRTC.

#![allow(dead_code)]

use cuda::{
    machine::{self, Checks, Launch, Outcome},
    memory::Memory,
    ptx,
};

/// What every text begins with.
pub const HEADER: &str = ".version 8.5\n.target sm_90\n.address_size 64\n";

/// How a kernel is launched.
#[derive(Clone, Debug)]
pub struct Shape {
    pub blocks: u32,
    pub threads: u32,
    pub dynamic_shared: usize,
    pub is_cooperative: bool,
    pub cluster: Option<[u32; 3]>,
    pub checks: Checks,
}

impl Shape {
    pub fn threads(threads: u32) -> Shape {
        Shape {
            blocks: 1,
            threads,
            dynamic_shared: 0,
            is_cooperative: false,
            cluster: None,
            checks: Checks::default(),
        }
    }

    pub fn blocks(self, blocks: u32) -> Shape {
        Shape { blocks, ..self }
    }

    pub fn cooperative(self) -> Shape {
        Shape {
            is_cooperative: true,
            ..self
        }
    }

    pub fn cluster(self, blocks: u32) -> Shape {
        Shape {
            cluster: Some([blocks, 1, 1]),
            ..self
        }
    }

    pub fn shared(self, bytes: usize) -> Shape {
        Shape {
            dynamic_shared: bytes,
            ..self
        }
    }

    pub fn checks(self, checks: Checks) -> Shape {
        Shape { checks, ..self }
    }
}

/// Memory for a kernel.
pub struct Device {
    pub memory: Memory,
}

impl Device {
    pub fn new() -> Device {
        Device {
            memory: Memory::new(1 << 30),
        }
    }

    /// The address of new memory that nobody has written.
    pub fn empty(&mut self, bytes: usize) -> u64 {
        self.memory.allocate(bytes).unwrap()
    }

    /// The address of new memory with these words.
    pub fn words(&mut self, words: &[u32]) -> u64 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.bytes(&bytes)
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> u64 {
        let address = self.empty(bytes.len());
        let (memory, states) = self.memory.write(address, bytes.len()).unwrap();
        memory.copy_from_slice(bytes);
        states.fill(1);
        address
    }

    pub fn read_words(&self, address: u64, count: usize) -> Vec<u32> {
        let (bytes, _) = self.memory.read(address, 4 * count).unwrap();
        let words = bytes.chunks_exact(4);
        words
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect()
    }

    pub fn read_floats(&self, address: u64, count: usize) -> Vec<f32> {
        let words = self.read_words(address, count);
        words.into_iter().map(f32::from_bits).collect()
    }

    /// Runs the only kernel of `source`.
    pub fn run(&mut self, source: &str, shape: &Shape, parameters: &[u64]) -> Outcome {
        let memory = &mut self.memory;
        let module = ptx::parse(source, |global| {
            Ok(memory.allocate_variable(&global.initial))
        });
        let module = module.unwrap_or_else(|error| panic!("{error}\n{source}"));
        let kernel = module.kernels.values().next().expect("a kernel");
        let bytes: Vec<u8> = parameters.iter().flat_map(|p| p.to_le_bytes()).collect();
        let launch = Launch {
            kernel,
            grid: [shape.blocks, 1, 1],
            block: [shape.threads, 1, 1],
            dynamic_shared: shape.dynamic_shared,
            parameters: &bytes,
            is_cooperative: shape.is_cooperative,
            cluster: shape.cluster.or(kernel.cluster),
        };
        machine::run(&launch, &mut self.memory, &shape.checks)
    }

    /// Runs a kernel that has to succeed with nothing to say.
    pub fn run_clean(&mut self, source: &str, shape: &Shape, parameters: &[u64]) {
        let outcome = self.run(source, shape, parameters);
        if let Err(fault) = &outcome.result {
            panic!("{}\n{source}", fault.message);
        }
        assert_eq!(outcome.messages, [""; 0], "{source}");
    }
}

/// A kernel of three addresses, `%p0` to `%p2`, with usual registers: `%i` is the thread of its block, `%b` the block,
/// `%g` the thread of the grid, and `%at0` to `%at2` are the thread's words at the addresses.
pub fn kernel(declarations: &str, body: &str) -> String {
    format!(
        "{HEADER}{declarations}
.visible .entry k(.param .u64 a0, .param .u64 a1, .param .u64 a2)
{{
  .reg .b64 %p<3>, %at<3>, %o, %x<8>;
  .reg .b32 %i, %b, %n, %g, %r<32>;
  .reg .f32 %f<16>;
  .reg .b16 %h<8>;
  .reg .pred %q<8>;
  ld.param.u64 %p0, [a0];
  ld.param.u64 %p1, [a1];
  ld.param.u64 %p2, [a2];
  mov.u32 %i, %tid.x;
  mov.u32 %b, %ctaid.x;
  mov.u32 %n, %ntid.x;
  mad.lo.s32 %g, %b, %n, %i;
  mul.wide.u32 %o, %g, 4;
  add.s64 %at0, %p0, %o;
  add.s64 %at1, %p1, %o;
  add.s64 %at2, %p2, %o;
{body}
  ret;
}}
"
    )
}
