//! Semihosting: the debugger, here QEMU, writes to its console for the program and ends it.

use core::fmt;

use crate::board::semihosting;

const WRITE0: usize = 0x04;
const EXIT_EXTENDED: usize = 0x20;
const APPLICATION_EXIT: usize = 0x2_0026;

/// The debugger's console.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // In parts, as the text has to end with a zero.
        for part in text.as_bytes().chunks(63) {
            let mut zero_ended = [0; 64];
            for (to, byte) in zero_ended.iter_mut().zip(part) {
                *to = *byte;
            }
            // SAFETY: the text ends with a zero, and the call only reads it.
            unsafe { semihosting(WRITE0, zero_ended.as_ptr().addr()) };
        }
        Ok(())
    }
}

/// Ends the program, and QEMU with this status.
pub fn exit(status: u32) -> ! {
    let block = [APPLICATION_EXIT, status as usize];
    loop {
        // SAFETY: the block has the two words that the call reads.
        unsafe { semihosting(EXIT_EXTENDED, block.as_ptr().addr()) };
    }
}
