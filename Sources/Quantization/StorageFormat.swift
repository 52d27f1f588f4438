public import CKernels
public import Checkpoints
internal import IngotCore

extension TensorEncoding {
  /// The packed format the engine keeps tensors of this encoding in, and inputs per scale (0: none).
  ///
  /// Floats stay what they are (f64 and integers become f32). GGUF blocks become the integer format that holds
  /// them; which of them lose how much is said at `ingot_repacked_format`.
  public var packedFormat: (format: ingot_format, group: Int) {
    switch self {
    case .plain(.f16): (INGOT_F16, 0)
    case .plain(.bf16): (INGOT_BF16, 0)
    case .plain: (INGOT_F32, 0)
    case .grouped(let format): (ingot_grouped_format(format.kernelFormat), format.groupSize)
    case .block(let type): (ingot_repacked_format(ingot_block(rawValue: type.rawValue)), 32)
    }
  }
}
