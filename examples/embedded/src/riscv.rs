//! A RISC-V with floats (RV32IMAFC): startup, semihosting, the counter of instructions.

use core::arch::{asm, global_asm};

// What runs first: the FPU is switched on (mstatus.FS), values that start with nothing become zero. Any trap ends in a loop,
// which QEMU's caller sees as a program that does not end.
global_asm!(
    ".section .vectors, \"ax\"",
    ".global reset",
    "reset:",
    "la sp, stack_top",
    "li t0, 1 << 13",
    "csrs mstatus, t0",
    "fscsr zero",
    "la t0, trap",
    "csrw mtvec, t0",
    "la t0, bss_start",
    "la t1, bss_end",
    "1: bgeu t0, t1, 2f",
    "sw zero, 0(t0)",
    "addi t0, t0, 4",
    "j 1b",
    "2: call {start}",
    ".balign 4",
    "trap: j trap",
    start = sym start,
);

extern "C" fn start() -> ! {
    crate::run()
}

/// A call of the debugger.
///
/// # Safety
/// `block` is what the call expects.
pub unsafe fn semihosting(call: usize, block: usize) -> usize {
    let result;
    // SAFETY: the debugger changes a0 only; the caller promises the rest. The three instructions must be in one page, and of
    // four bytes each: they are how it knows the call.
    unsafe {
        asm!(
            ".balign 16",
            ".option push",
            ".option norvc",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inlateout("a0") call => result,
            in("a1") block,
            options(nostack),
        );
    }
    result
}

/// Instructions so far. QEMU counts them with `-icount`.
pub fn instructions() -> u32 {
    let count;
    // SAFETY: it reads a counter.
    unsafe { asm!("csrr {}, minstret", out(reg) count, options(nomem, nostack)) };
    count
}
