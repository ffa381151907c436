
extern "C" __global__ void __launch_bounds__(256, 1) matrix_gradient_tf32(const MatrixGradient p) {
  matrix_gradient_of<TensorTile<Tf32>>(p);
}
