//! Mistakes in kernels, planted one by one. Each has to be seen, and its twin without the mistake has to pass under every
//! order of warps.

mod grids;
mod memory;
#[path = "../support/mod.rs"]
mod support;

use cuda::machine::{Checks, codes};
use support::{Device, Shape, kernel};

/// Shared memory for 256 words.
const BUFFER: &str = ".shared .align 16 .b8 buffer[1024];";

/// A kernel and how it is launched.
struct Case<'a> {
    declarations: &'a str,
    body: String,
    shape: Shape,
}

impl Case<'_> {
    /// What is reported, first the error's code; none if there is nothing to say.
    fn run(&self, checks: Checks) -> (u32, Vec<String>) {
        let mut device = Device::new();
        let words = (self.shape.blocks * self.shape.threads) as usize;
        let to = device.empty(4 * words);
        let input: Vec<u32> = (0..words as u32 + 64).collect();
        let (from, flags) = (device.words(&input), device.words(&[0; 16]));
        let source = kernel(self.declarations, &self.body);
        let outcome = device.run(
            &source,
            &self.shape.clone().checks(checks),
            &[to, from, flags],
        );
        let mut messages = outcome.messages;
        let code = match outcome.result {
            Ok(()) => 0,
            Err(fault) => {
                messages.insert(0, fault.message);
                fault.code
            }
        };
        (code, messages)
    }
}

/// Orders in which warps may run.
fn orders() -> Vec<Checks> {
    let budget = 2_000_000;
    let seeds = (0..4).map(|seed| Checks {
        seed,
        starve: seed > 1,
        budget,
        ..Checks::default()
    });
    seeds.collect()
}

/// `template` with `$`-marked lines: `$good` lines stand in the twin only, `$bad` lines in the mistake only.
fn variant(template: &str, mistake: bool) -> String {
    let (keep, leave) = if mistake {
        ("$bad", "$good")
    } else {
        ("$good", "$bad")
    };
    let lines = template
        .lines()
        .filter(|line| !line.trim_start().starts_with(leave));
    let lines: Vec<String> = lines.map(|line| line.replace(keep, "")).collect();
    lines.join("\n")
}

/// The mistake is seen with `code` and a message that has `words`; the twin passes.
fn planted(template: &str, declarations: &str, shape: Shape, code: u32, words: &str) {
    let case = |mistake| Case {
        declarations,
        body: variant(template, mistake),
        shape: shape.clone(),
    };
    for checks in orders() {
        let (found, messages) = case(false).run(checks);
        assert_eq!(
            (found, messages),
            (0, vec![]),
            "the twin, seed {}",
            checks.seed
        );
    }
    for checks in orders() {
        let (found, messages) = case(true).run(checks);
        assert_eq!(found, code, "seed {}: {messages:?}", checks.seed);
        assert!(
            messages[0].contains(words),
            "seed {}: {messages:?}",
            checks.seed
        );
        assert!(messages[0].contains("PTX line"), "{messages:?}");
    }
}

/// Each thread's word of the buffer, and that of the thread on the other side.
const OWN_AND_OTHER: &str = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 2;
  add.u32 %r2, %r0, %r1;
  sub.u32 %r3, %n, %i;
  sub.u32 %r3, %r3, 1;
  shl.b32 %r3, %r3, 2;
  add.u32 %r3, %r0, %r3;";

#[test]
fn a_barrier_of_the_block_is_missing() {
    let template = format!(
        "{OWN_AND_OTHER}
  st.shared.u32 [%r2], %i;
  st.shared.u32 [%r2+512], %i;
  bar.sync 0;
  ld.shared.u32 %r4, [%r3];
  $good bar.sync 0;
  st.shared.u32 [%r2], %r4;
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(128),
        codes::LAUNCH_FAILED,
        "race: ",
    );
}

#[test]
fn a_barrier_before_reading_is_missing() {
    let template = format!(
        "{OWN_AND_OTHER}
  st.shared.u32 [%r2], %i;
  bar.sync 0;
  st.shared.u32 [%r2], %g;
  $good bar.sync 0;
  ld.shared.u32 %r4, [%r3];
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "race: ",
    );
}

#[test]
fn a_barrier_of_the_warp_is_missing() {
    let template = format!(
        "{OWN_AND_OTHER}
  st.shared.u32 [%r2], %i;
  $good bar.warp.sync -1;
  ld.shared.u32 %r4, [%r3];
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "race: read of shared memory",
    );
}

#[test]
fn a_barrier_stands_in_a_branch() {
    let template = "
  setp.lt.u32 %q0, %i, 16;
  $good bar.sync 0;
  @%q0 bra SKIP;
  $bad bar.sync 0;
  st.global.u32 [%at0], %i;
SKIP:
  bar.warp.sync -1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "divergent",
    );
}

#[test]
fn half_of_a_warp_never_comes_to_a_shuffle() {
    let template = "
  setp.lt.u32 %q0, %i, 16;
  $bad @%q0 bra OTHER;
  shfl.sync.bfly.b32 %r1, %i, 1, 31, -1;
  st.global.u32 [%at0], %r1;
  bra END;
OTHER:
  bar.warp.sync -1;
END:
  bar.warp.sync -1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "divergent Shuffle",
    );
}

#[test]
fn a_shuffle_names_lanes_that_do_not_execute_it() {
    let template = "
  setp.lt.u32 %q0, %i, 16;
  $good shfl.sync.bfly.b32 %r1, %i, 1, 31, 0xffffffff;
  $bad @!%q0 exit;
  $bad shfl.sync.idx.b32 %r1, %i, 20, 31, 0xffff;
  st.global.u32 [%at0], %r1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "shfl.sync reads lane 20",
    );
}

#[test]
fn warps_wait_for_one_another() {
    let template = "
  setp.lt.u32 %q0, %i, 32;
  @%q0 bra FIRST;
  bar.sync 1, 64;
  bar.sync 2, 64;
  bra END;
FIRST:
  $good bar.sync 1, 64;
  bar.sync 2, 64;
  $bad bar.sync 1, 64;
END:
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "deadlock",
    );
}

#[test]
fn a_warp_leaves_the_others_at_a_barrier() {
    // The hardware lets them pass; it is a mistake all the same where the barrier was meant for all.
    let body = "
  setp.lt.u32 %q0, %i, 32;
  @%q0 exit;
  bar.sync 0;
  st.global.u32 [%at0], %i;";
    for checks in orders() {
        let case = Case {
            declarations: "",
            body: body.into(),
            shape: Shape::threads(64),
        };
        let (code, messages) = case.run(checks);
        assert_eq!(code, 0);
        assert!(
            messages
                .iter()
                .all(|message| message.contains("have ended"))
        );
    }
}

#[test]
fn a_double_buffer_has_one_barrier_too_few() {
    // One barrier a step is enough for two buffers, and not for one.
    let template = format!(
        "{OWN_AND_OTHER}
  mov.u32 %r8, 0;
  mov.u32 %r9, %i;
STEP:
  $good and.b32 %r10, %r8, 1;
  $bad mov.u32 %r10, 0;
  shl.b32 %r10, %r10, 9;
  add.u32 %r11, %r2, %r10;
  add.u32 %r12, %r3, %r10;
  st.shared.u32 [%r11], %r9;
  bar.sync 0;
  ld.shared.u32 %r9, [%r12];
  add.u32 %r8, %r8, 1;
  setp.lt.u32 %q0, %r8, 6;
  @%q0 bra STEP;
  st.global.u32 [%at0], %r9;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(128),
        codes::LAUNCH_FAILED,
        "race: ",
    );
}

#[test]
fn neighbouring_halves_and_bytes_are_no_race() {
    let template = "
  mov.u32 %r0, buffer;
  add.u32 %r1, %r0, %i;
  shl.b32 %r2, %i, 1;
  add.u32 %r2, %r0, %r2;
  cvt.u16.u32 %h0, %i;
  st.shared.u16 [%r2+512], %h0;
  $good st.shared.u8 [%r1], %i;
  $bad shr.u32 %r3, %i, 1;
  $bad add.u32 %r1, %r0, %r3;
  $bad st.shared.u8 [%r1], %i;
  bar.sync 0;
  st.global.u32 [%at0], %i;";
    planted(
        template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "race: write of shared memory",
    );
}

#[test]
fn an_endless_loop() {
    let template = "
LOOP:
  $bad bra LOOP;
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_TIMEOUT,
        "the budget of instructions is spent",
    );
}

#[test]
fn a_trap() {
    let template = "
  st.global.u32 [%at0], %i;
  setp.eq.u32 %q0, %i, 40;
  $bad @%q0 trap;";
    planted(
        template,
        "",
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "trap",
    );
}

#[test]
fn a_matrix_product_without_some_lanes() {
    let template = "
  mov.f32 %f0, 0f00000000;
  mov.u32 %r0, 0;
  setp.lt.u32 %q0, %i, 31;
  $bad @%q0 mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, {%r0, %r0}, {%r0}, {%f0, %f0, %f0, %f0};
  $good mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, {%r0, %r0}, {%r0}, {%f0, %f0, %f0, %f0};
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "mma without some lanes",
    );
}
