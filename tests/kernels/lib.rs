//! The programs of this package stand in `kernels/` and `program/`.
