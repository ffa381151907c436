
extern "C" __global__ void __launch_bounds__(256, 1) matrix_gradient_bf16(const MatrixGradient p) {
  matrix_gradient_of<TensorTile<Bf16>>(p);
}
