//! Accesses that must not be.

use super::*;

#[test]
fn one_word_too_many_of_global_memory() {
    let template = "
  $good ld.global.u32 %r0, [%at1];
  $bad ld.global.u32 %r0, [%at1+260];
  st.global.u32 [%at0], %r0;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "after an allocation of 384 bytes",
    );
}

#[test]
fn a_write_before_an_allocation() {
    let template = "
  $good st.global.u32 [%at0], %i;
  $bad st.global.u32 [%at0+-4], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "outside every allocation",
    );
}

#[test]
fn one_word_too_many_of_shared_memory() {
    let template = format!(
        "{OWN_AND_OTHER}
  $good st.shared.u32 [%r2], %i;
  $bad st.shared.u32 [%r2+900], %i;
  st.global.u32 [%at0], %i;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "shared memory: 4 bytes at 1024",
    );
}

#[test]
fn a_null_pointer() {
    let template = "
  $good mov.u64 %x0, %at1;
  $bad mov.u64 %x0, 0;
  ld.global.u32 %r0, [%x0];
  st.global.u32 [%at0], %r0;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "outside every allocation",
    );
}

#[test]
fn local_memory_is_left() {
    let template = "
  .local .align 8 .b8 stack[16];
  mov.u64 %x0, stack;
  $good st.local.u32 [%x0+12], %i;
  $bad st.local.u32 [%x0+16], %i;
  st.global.u32 [%at0], %i;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::ILLEGAL_ADDRESS,
        "local memory",
    );
}

#[test]
fn memory_is_used_after_it_was_freed() {
    let mut device = Device::new();
    let (to, from) = (device.empty(128), device.words(&[1; 32]));
    let source = kernel(
        "",
        "ld.global.u32 %r0, [%at1];\n st.global.u32 [%at0], %r0;",
    );
    device.run_clean(&source, &Shape::threads(32), &[to, from, to]);
    device.memory.free(from).unwrap();
    let outcome = device.run(&source, &Shape::threads(32), &[to, from, to]);
    let fault = outcome.result.unwrap_err();
    assert_eq!(fault.code, codes::ILLEGAL_ADDRESS);
    assert!(fault.message.contains("freed memory"), "{}", fault.message);
    assert!(
        device
            .memory
            .free(from)
            .unwrap_err()
            .contains("double free")
    );
    assert!(
        device
            .memory
            .free(to + 4)
            .unwrap_err()
            .contains("no allocation begins")
    );
}

#[test]
fn global_memory_that_nobody_has_written() {
    let template = "
  $good st.global.u32 [%at0], 3;
  ld.global.u32 %r0, [%at0];
  st.global.u32 [%at0], %r0;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::LAUNCH_FAILED,
        "uninitialised global",
    );
}

#[test]
fn shared_memory_that_nobody_has_written() {
    let template = format!(
        "{OWN_AND_OTHER}
  $good st.shared.u32 [%r2], %i;
  bar.sync 0;
  ld.shared.u32 %r4, [%r3];
  st.global.u32 [%at0], %r4;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "uninitialised shared",
    );
}

#[test]
fn a_vector_is_misaligned() {
    let template = "
  shl.b32 %r0, %i, 4;
  mul.wide.u32 %x0, %i, 8;
  add.s64 %x0, %x0, %p1;
  $good ld.global.v2.u32 {%r1, %r2}, [%x0];
  $bad ld.global.v2.u32 {%r1, %r2}, [%x0+4];
  st.global.u32 [%at0], %r1;";
    planted(
        template,
        "",
        Shape::threads(32),
        codes::MISALIGNED_ADDRESS,
        "misaligned access of 8 bytes",
    );
}

#[test]
fn a_row_of_a_matrix_is_misaligned() {
    let template = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 4;
  add.u32 %r0, %r0, %r1;
  st.shared.v4.u32 [%r0], {%i, %i, %i, %i};
  bar.warp.sync -1;
  $bad add.u32 %r0, %r0, 4;
  ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%r0];
  st.global.u32 [%at0], %r2;";
    planted(
        template,
        BUFFER,
        Shape::threads(32),
        codes::MISALIGNED_ADDRESS,
        "misaligned row of ldmatrix",
    );
}

/// Copies 16 bytes a thread to shared memory.
const COPY: &str = "
  mov.u32 %r0, buffer;
  shl.b32 %r1, %i, 2;
  add.u32 %r0, %r0, %r1;
  cp.async.ca.shared.global [%r0], [%at1], 4;
  cp.async.commit_group;";

#[test]
fn nobody_waits_for_a_copy() {
    let template = format!(
        "{COPY}
  $good cp.async.wait_group 0;
  $bad cp.async.wait_group 1;
  bar.sync 0;
  ld.shared.u32 %r2, [%r0];
  st.global.u32 [%at0], %r2;
  cp.async.wait_all;"
    );
    planted(
        &template,
        BUFFER,
        Shape::threads(64),
        codes::LAUNCH_FAILED,
        "while a cp.async to it is in flight",
    );
}

#[test]
fn a_copy_overwrites_what_is_read() {
    // The second copy into the same words has to come after everybody has read.
    let template = format!(
        "{COPY}
  cp.async.wait_all;
  bar.sync 0;
  xor.b32 %r3, %i, 32;
  shl.b32 %r3, %r3, 2;
  mov.u32 %r4, buffer;
  add.u32 %r3, %r3, %r4;
  ld.shared.u32 %r2, [%r3];
  $good bar.sync 0;
  cp.async.ca.shared.global [%r0], [%at1], 4;
  cp.async.wait_all;
  bar.sync 0;
  st.global.u32 [%at0], %r2;"
    );
    let shape = Shape::threads(64);
    let case = |mistake| Case {
        declarations: BUFFER,
        body: variant(&template, mistake),
        shape: shape.clone(),
    };
    for checks in orders() {
        assert_eq!(case(false).run(checks), (0, vec![]));
        let (code, messages) = case(true).run(checks);
        assert_eq!(code, codes::LAUNCH_FAILED, "{messages:?}");
    }
}

#[test]
fn a_copy_is_read_by_others_without_a_barrier() {
    let template = format!(
        "{COPY}
  cp.async.wait_all;
  $good bar.sync 0;
  $bad bar.warp.sync -1;
  xor.b32 %r3, %i, 32;
  shl.b32 %r3, %r3, 2;
  mov.u32 %r4, buffer;
  add.u32 %r3, %r3, %r4;
  st.shared.u32 [%r3+512], %r0;
  ld.shared.u32 %r2, [%r3];
  st.global.u32 [%at0], %r2;"
    );
    let case = |mistake| Case {
        declarations: BUFFER,
        body: variant(&template, mistake),
        shape: Shape::threads(64),
    };
    for checks in orders() {
        assert_eq!(case(false).run(checks), (0, vec![]));
        let (code, messages) = case(true).run(checks);
        assert_eq!(code, codes::LAUNCH_FAILED, "{messages:?}");
    }
}
