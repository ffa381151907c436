//! Memory, atomics and calls of each thread.

use super::*;

#[test]
fn atomics_of_all_kinds() {
    let operations: [(&str, u32, u32); 9] = [
        ("add.u32", 0, triangle(63)),
        ("min.s32", 50, 0),
        ("max.u32", 5, 63),
        ("and.b32", 0xff, 0),
        ("or.b32", 0, 63),
        ("xor.b32", 1, 1),
        ("inc.u32", 0, 20),
        ("dec.u32", 9, 0),
        ("add.f32", 0, (triangle(63) as f32).to_bits()),
    ];
    for (operation, start, expected) in operations {
        let operand = match operation {
            // Wraps at 63: 64 increments from 0 with the limit 43 end at 64 − 44.
            "inc.u32" => "43",
            "dec.u32" => "100",
            "add.f32" => "%f0",
            _ => "%i",
        };
        let body = format!(
            "  cvt.rn.f32.u32 %f0, %i;
  .reg .b32 %old;
  atom.global.{operation} %old, [%p2], {operand};
  st.global.u32 [%at0], %old;"
        );
        let mut device = Device::new();
        let (to, counter) = (device.empty(256), device.words(&[start]));
        device.run_clean(&kernel("", &body), &Shape::threads(64), &[to, to, counter]);
        let found = device.read_words(counter, 1)[0];
        let expected = if operation == "dec.u32" {
            decremented(start, 100, 64)
        } else {
            expected
        };
        assert_eq!(found, expected, "{operation}");
    }
    // A lock of compare and swap: each lane of the grid adds once.
    let body = "
SPIN:
  atom.acquire.gpu.global.cas.b32 %r0, [%p2], 0, 1;
  setp.ne.u32 %q0, %r0, 0;
  @%q0 bra SPIN;
  ld.global.u32 %r1, [%p2+4];
  add.u32 %r1, %r1, 1;
  st.global.u32 [%p2+4], %r1;
  atom.release.gpu.global.exch.b32 %r2, [%p2], 0;
  st.global.u32 [%at0], %r1;";
    for shape in orders(&Shape::threads(1).blocks(40).cooperative()) {
        let mut found = words(body, &shape);
        found.sort_unstable();
        assert_eq!(found, (1..=40).collect::<Vec<u32>>());
    }
}

/// `start` after `times` decrements that wrap to `limit`.
fn decremented(start: u32, limit: u32, times: u32) -> u32 {
    (0..times).fold(start, |value, _| {
        if value == 0 || value > limit {
            limit
        } else {
            value - 1
        }
    })
}

#[test]
fn functions_are_called() {
    let functions = ".func (.param .b32 result) scale(.param .b32 value, .param .b32 by)
{
  .reg .b32 %r<4>; .reg .pred %p;
  ld.param.b32 %r1, [value];
  ld.param.b32 %r2, [by];
  setp.gt.u32 %p, %r1, 20;
  @%p bra LARGE;
  mul.lo.u32 %r3, %r1, %r2;
  st.param.b32 [result], %r3;
  ret;
LARGE:
  st.param.b32 [result], 7;
  ret;
}
.func (.param .b32 result) twice(.param .b32 value)
{
  .reg .b32 %r<4>;
  ld.param.b32 %r1, [value];
  { .param .b32 p0; .param .b32 p1; .param .b32 q;
    st.param.b32 [p0], %r1; st.param.b32 [p1], 3;
    call.uni (q), scale, (p0, p1);
    ld.param.b32 %r2, [q]; }
  { .param .b32 p0; .param .b32 p1; .param .b32 q;
    st.param.b32 [p0], %r2; st.param.b32 [p1], 1;
    call.uni (q), scale, (p0, p1);
    ld.param.b32 %r2, [q]; }
  st.param.b32 [result], %r2;
  ret;
}";
    let body = "
  mov.u32 %r0, 1;
  setp.lt.u32 %q0, %i, 30;
  { .param .b32 p0; .param .b32 q;
    st.param.b32 [p0], %i;
    st.param.b32 [q], %r0;
    @%q0 call (q), twice, (p0);
    ld.param.b32 %r0, [q]; }
  st.global.u32 [%at0], %r0;";
    let scale = |value: u32, by: u32| if value > 20 { 7 } else { value * by };
    let expected: Vec<u32> = (0..32)
        .map(|i| if i < 30 { scale(scale(i, 3), 1) } else { 1 })
        .collect();
    assert_eq!(
        words_of(&kernel(functions, body), &Shape::threads(32), &[]),
        expected
    );
    let endless = ".func endless() { call endless, (); ret; }";
    let error = cuda::ptx::parse(&kernel(endless, "call endless, ();"), |_| Ok(0)).unwrap_err();
    assert!(error.contains("calls itself"), "{error}");
}

#[test]
fn local_memory_belongs_to_a_thread() {
    let body = "
  .local .align 4 .b8 stack[64];
  mov.u64 %x0, stack;
  cvta.local.u64 %x1, %x0;
  and.b32 %r0, %i, 15;
  mul.wide.u32 %x2, %r0, 4;
  add.s64 %x3, %x1, %x2;
  add.s64 %x4, %x0, %x2;
  st.u32 [%x3], %i;
  ld.local.u32 %r1, [%x4];
  st.global.u32 [%at0], %r1;";
    assert_eq!(
        words(body, &Shape::threads(64)),
        (0..64).collect::<Vec<u32>>()
    );
}

#[test]
fn tables_and_variables() {
    let declarations = ".const .align 4 .u32 table[4] = {10, 20, 30, 40};
.global .align 4 .f32 factor = 0f40000000;
.global .align 2 .b8 bytes[3] = {1, 2, 255};";
    let body = "
  and.b32 %r0, %i, 3;
  mul.wide.u32 %x0, %r0, 4;
  mov.u64 %x1, table;
  add.s64 %x1, %x1, %x0;
  ld.const.u32 %r1, [%x1];
  ld.global.f32 %f0, [factor];
  cvt.rn.f32.u32 %f1, %r1;
  mul.f32 %f1, %f1, %f0;
  cvt.rzi.u32.f32 %r2, %f1;
  ld.global.s8 %r3, [bytes+2];
  add.s32 %r2, %r2, %r3;
  st.global.u32 [%at0], %r2;";
    let expected: Vec<u32> = (0..32).map(|i| 20 * (i % 4 + 1) - 1).collect();
    assert_eq!(
        words_of(&kernel(declarations, body), &Shape::threads(32), &[]),
        expected
    );
}

#[test]
fn all_widths_of_memory() {
    let body = "
  mul.wide.u32 %x0, %i, 32;
  add.s64 %x0, %x0, %p1;
  ld.global.v2.u64 {%x1, %x2}, [%x0];
  ld.global.s16 %r0, [%x0];
  ld.global.u16 %h0, [%x0+2];
  ld.global.u8 %r1, [%x0+1];
  ld.global.v2.u32 {%r2, %r3}, [%x0+8];
  cvt.u32.u16 %r4, %h0;
  cvt.u32.u64 %r5, %x2;
  add.u32 %r0, %r0, %r1;
  add.u32 %r0, %r0, %r2;
  add.u32 %r0, %r0, %r4;
  add.u32 %r0, %r0, %r5;
  st.global.u32 [%at0], %r0;
  st.global.u8 [%x0+31], %r0;
  st.global.v2.u16 [%x0+16], {%h0, %h0};";
    let input: Vec<u32> = (0..256_u32)
        .map(|i| i.wrapping_mul(0x0102_0305).wrapping_add(0x8000))
        .collect();
    let expected: Vec<u32> = (0..32)
        .map(|i| {
            let w = &input[8 * i..8 * i + 8];
            (w[0] as i16 as u32)
                .wrapping_add(w[0] >> 8 & 255)
                .wrapping_add(w[2])
                .wrapping_add(w[0] >> 16)
                .wrapping_add(w[2])
        })
        .collect();
    assert_eq!(
        words_of(&kernel("", body), &Shape::threads(32), &input),
        expected
    );
}

#[test]
fn dynamic_shared_memory_follows_the_static_part() {
    let declarations = ".extern .shared .align 16 .b8 dynamic[];\n.shared .align 4 .b8 fixed[20];";
    let body = "
  mov.u32 %r0, fixed;
  mov.u32 %r1, dynamic;
  sub.u32 %r2, %r1, %r0;
  shl.b32 %r3, %i, 2;
  add.u32 %r4, %r1, %r3;
  st.shared.u32 [%r4], %r2;
  ld.shared.u32 %r5, [%r4];
  mov.u32 %r6, %dynamic_smem_size;
  add.u32 %r5, %r5, %r6;
  st.shared.u32 [fixed+16], %r6;
  st.global.u32 [%at0], %r5;";
    let shape = Shape::threads(1).shared(128);
    assert_eq!(
        words_of(&kernel(declarations, body), &shape, &[]),
        [32 + 128]
    );
}
