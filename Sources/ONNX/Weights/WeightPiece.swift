package import Graph
package import IngotCore
package import Quantization

/// Something that becomes one or more initialisers: what is read, and how its elements are laid out.
package enum WeightPiece: Sendable, Hashable {
  /// A parameter in floats, as the checkpoint orders it, or [N, K] turned to [K, N] as `MatMul` wants it.
  case dense(Parameter, DType, transposed: Bool)
  /// A parameter [N, K] as `com.microsoft.MatMulNBits` reads it: B, scales, zero points if asymmetric.
  /// With `reordered`, the inputs lie in the order of the checkpoint's groups; see `InputOrder`.
  case matMulNBits(Parameter, BlockQuantization, scales: DType, reordered: Bool = false)
  /// A parameter [N, K] turned to [K, N] as `DequantizeLinear` reads it: x, x_scale, x_zero_point if asymmetric.
  /// In groups along axis 0, or with one scale per column (axis 1).
  case dequantizeLinear(Parameter, BlockQuantization, scales: DType, reordered: Bool = false)
  /// The order in which x is gathered for weights that are `reordered`, i64 [K].
  case inputOrder(InputOrder)
  /// Numbers that follow from the configuration.
  case computed(ComputedTensor)
}

/// A tensor made when it is written.
package struct ComputedTensor: Sendable, Hashable {
  /// Tells tensors apart: two of one key are the same.
  package var key: String
  /// What the elements follow from.
  package var source: String
  package var dtype: DType
  package var dims: [Int]
  /// Makes the elements, row-major, as 32-bit floats.
  package var floats: @Sendable () -> [Float]

  package init(
    key: String, source: String = "", dtype: DType, dims: [Int], floats: @escaping @Sendable () -> [Float]
  ) {
    (self.key, self.source, self.dtype, self.dims, self.floats) = (key, source, dtype, dims, floats)
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.key == b.key && a.source == b.source && a.dtype == b.dtype && a.dims == b.dims
  }
  package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// One initialiser that a piece becomes.
package struct WeightTensor: Sendable, Hashable {
  /// What it is to the operator that reads it.
  package enum Role: String, Sendable, Hashable { case values, scales, zeroPoints }
  package var role: Role
  package var type: Onnx_TensorProto.DataType
  package var dims: [Int]
  package var byteCount: Int
}

extension WeightPiece {
  /// The initialisers in the order they are written.
  ///
  /// - `matMulNBits`: values u8 [N, ⌈K/g⌉, g·bits/8] (low nibble first; the tail of a short last group is the zero
  ///   point), scales [N, ⌈K/g⌉], zero points u8 [N, ⌈⌈K/g⌉·bits/8⌉]. Per channel, g is K rounded up to a power of
  ///   two from 16 to 256, and an output's scale and zero point stand once per group.
  /// - `dequantizeLinear`: values (u)int4 or (u)int8 [K, N]; signed and without zero points when symmetric; scales
  ///   [⌈K/g⌉, N], or [N] per channel; zero points of the values' type and the scales' shape.
  package var tensors: [WeightTensor] {
    switch self {
    case .dense(let parameter, let dtype, let transposed):
      let dims = transposed ? Array(parameter.dims.reversed()) : parameter.dims
      return [.make(.values, dtype.onnx, dims)]
    case .computed(let tensor): return [.make(.values, tensor.dtype.onnx, tensor.dims)]
    case .inputOrder(let order): return [.make(.values, .int64, [order.indices.count])]
    case .matMulNBits(let parameter, let scheme, let scales, _):
      let (n, k) = (parameter.dims[0], parameter.dims[1])
      let group = scheme.nbitsBlock(inputs: k)
      let groups = (k + group - 1) / group
      var tensors: [WeightTensor] = [
        .make(.values, .uint8, [n, groups, group * scheme.bits / 8]),
        .make(.scales, scales.onnx, [n, groups]),
      ]
      if !scheme.isSymmetric {
        tensors.append(.make(.zeroPoints, .uint8, [n, (groups * scheme.bits + 7) / 8]))
      }
      return tensors
    case .dequantizeLinear(let parameter, let scheme, let scales, _):
      let (n, k) = (parameter.dims[0], parameter.dims[1])
      let type: Onnx_TensorProto.DataType =
        switch (scheme.bits, scheme.isSymmetric) {
        case (4, true): .int4
        case (4, false): .uint4
        case (_, true): .int8
        case (_, false): .uint8
        }
      let grid = scheme.groupSize == nil ? [n] : [scheme.groupCount(inputs: k), n]
      var tensors: [WeightTensor] = [.make(.values, type, [k, n]), .make(.scales, scales.onnx, grid)]
      if !scheme.isSymmetric { tensors.append(.make(.zeroPoints, type, grid)) }
      return tensors
    }
  }
}

extension WeightTensor {
  fileprivate static func make(_ role: Role, _ type: Onnx_TensorProto.DataType, _ dims: [Int]) -> WeightTensor
  {
    let count = dims.reduce(1, *)
    return WeightTensor(role: role, type: type, dims: dims, byteCount: type.byteCount(of: count))
  }
}

extension BlockQuantization {
  /// `block_size` of `MatMulNBits`. Source: onnxruntime 1.31.1 takes 16, 32, 64, 128 and 256.
  package func nbitsBlock(inputs: Int) -> Int {
    if let groupSize { return groupSize }
    var block = 16
    while block < min(inputs, 256) { block *= 2 }
    return block
  }
}

extension DType {
  /// ONNX's number for the type.
  package var onnx: Onnx_TensorProto.DataType {
    switch self {
    case .f64: .double
    case .f32: .float
    case .f16: .float16
    case .bf16: .bfloat16
    case .i64: .int64
    case .i32: .int32
    case .i16: .int16
    case .i8: .int8
    case .u64: .uint64
    case .u32: .uint32
    case .u16: .uint16
    case .u8: .uint8
    case .bool: .bool
    }
  }
}

extension Onnx_TensorProto.DataType {
  /// Bytes that `count` elements take; two of 4 bits share one.
  package func byteCount(of count: Int) -> Int {
    switch self {
    case .double, .int64, .uint64: 8 * count
    case .float, .int32, .uint32: 4 * count
    case .float16, .bfloat16, .int16, .uint16: 2 * count
    case .int4, .uint4: (count + 1) / 2
    default: count
    }
  }
}
