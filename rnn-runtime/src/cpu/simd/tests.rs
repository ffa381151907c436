//! Every operation on every instruction set against plain floats.
