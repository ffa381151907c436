//! What the tool does, a file for each.

mod bench;
mod convert;
mod inspect;
mod new;
mod plan;
mod run;

pub use bench::{Measurement, bench};
pub use convert::{Conversion, convert};
pub use inspect::inspect;
pub use new::new;
pub use plan::plan;
pub use run::{Run, run};
