//! The product of a warp.

/// Operands of a product of 16 rows, 8 columns and a depth of up to 16.
pub struct Operands {
    /// `a[row][k]`.
    pub a: [[f32; 16]; 16],
    /// `b[k][column]`.
    pub b: [[f32; 8]; 16],
}

/// The product in 32 bits. The order of its sums is the hardware's own: `perturb` starts them elsewhere.
pub fn multiply(operands: &Operands, depth: usize, perturb: u32) -> [[f32; 8]; 16] {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has AVX2 and FMA.
        return unsafe { multiply_avx2(operands, depth, perturb) };
    }
    multiply_anywhere(operands, depth, perturb)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(operands: &Operands, depth: usize, perturb: u32) -> [[f32; 8]; 16] {
    multiply_anywhere(operands, depth, perturb)
}

#[inline(always)]
fn multiply_anywhere(operands: &Operands, depth: usize, perturb: u32) -> [[f32; 8]; 16] {
    let mut sums = [[0.0; 8]; 16];
    let first = perturb as usize % depth;
    for (row, sums) in operands.a.iter().zip(&mut sums) {
        for step in 0..depth {
            let k = (first + step) % depth;
            let (x, column) = (row[k], &operands.b[k]);
            for (sum, y) in sums.iter_mut().zip(column) {
                *sum = x.mul_add(*y, *sum);
            }
        }
    }
    sums
}
