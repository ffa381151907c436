//! A Cortex-M4F: startup, semihosting, SysTick.

use core::arch::{asm, global_asm};

// The vector table, and what runs first: the FPU is switched on (CPACR), values that start with something are copied, the
// others become zero. Any fault ends the program.
global_asm!(
    ".section .vectors, \"a\"",
    ".word stack_top",
    ".word reset",
    ".rept 14",
    ".word fault",
    ".endr",
    ".section .text.reset, \"ax\"",
    ".global reset",
    ".type reset, %function",
    ".thumb_func",
    "reset:",
    "ldr r0, =0xE000ED88",
    "ldr r1, [r0]",
    "orr r1, r1, #(0xF << 20)",
    "str r1, [r0]",
    "dsb",
    "isb",
    "ldr r0, =data_start",
    "ldr r1, =data_end",
    "ldr r2, =data_from",
    "1: cmp r0, r1",
    "bhs 2f",
    "ldr r3, [r2], #4",
    "str r3, [r0], #4",
    "b 1b",
    "2: ldr r0, =bss_start",
    "ldr r1, =bss_end",
    "movs r2, #0",
    "3: cmp r0, r1",
    "bhs 4f",
    "str r2, [r0], #4",
    "b 3b",
    "4: bl {start}",
    ".type fault, %function",
    ".thumb_func",
    "fault:",
    "movs r0, #0x18",
    "movs r1, #0",
    "bkpt 0xAB",
    "b fault",
    start = sym start,
);

extern "C" fn start() -> ! {
    start_counting();
    crate::run()
}

/// A call of the debugger.
///
/// # Safety
/// `block` is what the call expects.
pub unsafe fn semihosting(call: usize, block: usize) -> usize {
    let result;
    // SAFETY: the debugger changes r0 only; the caller promises the rest.
    unsafe { asm!("bkpt 0xAB", inlateout("r0") call => result, in("r1") block, options(nostack)) };
    result
}

const SYSTICK_CONTROL: *mut u32 = 0xE000_E010 as *mut u32;
const SYSTICK_RELOAD: *mut u32 = 0xE000_E014 as *mut u32;
const SYSTICK_VALUE: *mut u32 = 0xE000_E018 as *mut u32;

fn start_counting() {
    // SAFETY: SysTick's registers, which every Cortex-M4 has.
    unsafe {
        SYSTICK_RELOAD.write_volatile(0x00FF_FFFF);
        SYSTICK_VALUE.write_volatile(0);
        // From the processor's clock, without an interrupt.
        SYSTICK_CONTROL.write_volatile(0b101);
    }
}

/// Instructions so far, of which 671 million are counted before it starts again. With `-icount shift=0` QEMU takes a nanosecond
/// for each, and the board's clock has 25 MHz: a tick of SysTick is 40 instructions. On a real board it is a cycle.
pub fn instructions() -> u32 {
    // SAFETY: SysTick's register.
    let left = unsafe { SYSTICK_VALUE.read_volatile() };
    40 * (0x00FF_FFFF - left)
}
