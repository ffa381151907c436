//! The functions that the page calls, over one page in memory. All that is unsafe is here.
#![allow(unsafe_code)]

use core::{arch::wasm32, cell::UnsafeCell, panic::PanicInfo};

use crate::page::Page;

struct Only(UnsafeCell<Page>);

// SAFETY: a module for this target without the feature `atomics` has one thread.
unsafe impl Sync for Only {}

static PAGE: Only = Only(UnsafeCell::new(Page::new()));

/// Runs `f` on the page. Nothing that it is given calls JavaScript, so no second call begins before it has ended.
fn page<R>(f: impl FnOnce(&mut Page) -> R) -> R {
    // SAFETY: there is one thread, and no function of this module calls another one within `f`: this is the only reference.
    f(unsafe { &mut *PAGE.0.get() })
}

// SAFETY of all names below: nothing else in the module is called so.

/// Takes all lines away.
#[unsafe(no_mangle)]
extern "C" fn clear() {
    page(|page| page.drawing.clear());
}

/// Draws a line to a point, each coordinate from 0 to 1.
#[unsafe(no_mangle)]
extern "C" fn line_to(x: f32, y: f32) {
    page(|page| page.drawing.line_to(x, y));
}

/// Lifts the pen.
#[unsafe(no_mangle)]
extern "C" fn lift() {
    page(|page| page.drawing.lift());
}

/// Makes the picture of the drawing.
#[unsafe(no_mangle)]
extern "C" fn look() {
    page(Page::look);
}

/// Reads the picture row by row.
#[unsafe(no_mangle)]
extern "C" fn read() {
    page(Page::read);
}

/// Runs this many steps.
#[unsafe(no_mangle)]
extern "C" fn run(steps: u32) {
    page(|page| page.run(steps as usize));
}

/// Where the 64 floats of the picture are. The page may write them between two calls.
#[unsafe(no_mangle)]
extern "C" fn picture() -> *mut f32 {
    page(|page| page.picture.as_mut_ptr().cast())
}

/// Where the 8 × 10 floats of the guesses are.
#[unsafe(no_mangle)]
extern "C" fn guesses() -> *const f32 {
    page(|page| page.guesses.as_ptr().cast())
}

/// Stops the module: JavaScript gets an error.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    wasm32::unreachable()
}
