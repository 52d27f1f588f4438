internal import Checkpoints
internal import IngotCore

extension TensorEncoding {
  /// Whether the kernels read the elements as they are stored.
  var isKernelFloat: Bool {
    self == .plain(.f32) || self == .plain(.f16) || self == .plain(.bf16)
  }
}
