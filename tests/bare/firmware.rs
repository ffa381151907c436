//! The streams of the library on a machine without an operating system, built for
//! `thumbv7em-none-eabihf`. QEMU's user mode runs it, and stands in for a serial line: two of Linux's
//! system calls, write and exit.
#![no_std]
#![no_main]

use core::{arch::asm, fmt::Write};

/// Standard output.
struct Line;

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        // SAFETY: `write` reads `text.len()` bytes from `text` and changes r0 only; r7, the frame
        // pointer, is put back.
        unsafe {
            asm!(
                "mov {r7}, r7",
                "movs r7, #4",
                "svc 0",
                "mov r7, {r7}",
                r7 = out(reg) _,
                inlateout("r0") 1 => _,
                in("r1") text.as_ptr(),
                in("r2") text.len(),
            );
        }
        Ok(())
    }
}

fn exit(status: u32) -> ! {
    // SAFETY: `exit` does not return.
    unsafe { asm!("movs r7, #1", "svc 0", in("r0") status, options(noreturn)) }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let _ = writeln!(Line, "{info}");
    exit(101)
}

/// The first instruction.
// SAFETY: the linker looks for this name, and nothing else in the program has it.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    let done = recurrent_test_bare::run(|model, y| {
        let _ = writeln!(Line, "{model} {:08x}", y.to_bits());
    });
    exit(u32::from(done.is_err()))
}
