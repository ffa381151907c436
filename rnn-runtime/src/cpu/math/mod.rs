//! Vector maths, generic over the instruction set.
