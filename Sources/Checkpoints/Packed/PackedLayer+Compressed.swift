import CKernels
import IngotCore

/// compressed-tensors: `weight_packed` i32 [N, K·bits/32] along the inputs, or plain `weight` i8 [N, K]; `weight_scale`
/// [N, G], [N, 1] or one; `weight_zero_point` as i8 [N, G] or packed along the outputs, i32 [⌈N·bits/32⌉, G];
/// `weight_shape` [2]; `weight_g_idx` i32 [K]. Codes and zero points are signed, plus 2^(bits−1) where they are packed.
extension PackedLayer {
  /// - Throws: `.format`, `.shape` naming the tensor at fault; `.unsupported`.
  func compressed(_ scheme: CompressedScheme) throws(IngotError) -> PackedMatrix {
    if let packed = optional("weight_packed") { return try packedCodes(packed, scheme) }
    guard let weight = optional("weight") else {
      throw IngotError(.format, "a packed weight without \"weight_packed\"", at: .init(tensor: name))
    }
    let (outputs, inputs) = try weight.expectMatrix([.plain(.i8)])
    let codes = PackedMatrix.Codes(tensor: weight, rowStride: inputs, bits: 8, areBytes: true)
    return try matrix(codes, outputs: outputs, inputs: inputs, scheme)
  }

  private func packedCodes(
    _ packed: CheckpointTensor, _ scheme: CompressedScheme
  ) throws(IngotError) -> PackedMatrix {
    let (rows, words) = try packed.expectMatrix([.plain(.i32)])
    let (outputs, inputs) = try logicalShape(packed)
    guard rows == outputs else {
      throw packed.error(.shape, "it has \(rows) rows, where \"\(name).weight_shape\" says \(outputs)")
    }
    guard let bits = [4, 8].first(where: { ($0 * inputs + 31) / 32 == words }) else {
      throw packed.error(
        .unsupported,
        "\(words) words for \(inputs) inputs are neither 4 nor 8 bits for each, which are what is read")
    }
    let codes = PackedMatrix.Codes(
      tensor: packed, rowStride: words, columnStride: 1, columnsPerWord: 32 / bits, bits: bits)
    return try matrix(codes, outputs: outputs, inputs: inputs, scheme)
  }

  /// What `weight_shape` says.
  private func logicalShape(_ packed: CheckpointTensor) throws(IngotError) -> (Int, Int) {
    let shape = try required("weight_shape", for: packed)
    try shape.expect([.plain(.i64), .plain(.i32)], [2])
    guard let bytes = shape.storedBytes else { return (0, 0) }
    let dims = (0..<2).map { index in
      shape.encoding == .plain(.i64)
        ? Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)))
        : Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)))
    }
    guard dims.allSatisfy({ (1...1 << 32).contains($0) }) else {
      throw shape.error(.shape, "it says \(dims), which is no shape of a matrix")
    }
    return (dims[0], dims[1])
  }

  private func matrix(
    _ codes: PackedMatrix.Codes, outputs: Int, inputs: Int, _ scheme: CompressedScheme
  ) throws(IngotError) -> PackedMatrix {
    let scale = try required("weight_scale", for: codes.tensor)
    try scale.expect(.scales)
    let groups: Int
    let scales: PackedMatrix.Scales
    if scale.shape.count == 1 {
      (groups, scales) = (1, .init(tensor: scale, rowStride: 0, groupStride: 0))
    } else {
      groups = scale.shape.rank == 2 ? scale.shape[1] : 1
      try scale.expect(.scales, scale.shape.rank == 1 ? [outputs] : [outputs, groups])
      scales = .init(tensor: scale, rowStride: groups, groupStride: 1)
    }
    let variants = scheme.variants.filter { $0.bits == codes.bits }
    guard !variants.isEmpty || scheme.variants.isEmpty else {
      throw codes.tensor.error(
        .format, "its weights have \(codes.bits) bits; the configuration says \(scheme.variants.map(\.bits))")
    }
    try checkGroups(scale, groups: groups, inputs: inputs, configured: variants.map(\.groupSize))
    return PackedMatrix(
      layer: name, outputs: outputs, inputs: inputs, groups: groups, codes: codes,
      zeros: try zeroPoints(bits: codes.bits, outputs: outputs, groups: groups), scales: scales,
      groupOf: try groupOf(optional("weight_g_idx"), inputs: inputs, groups: groups))
  }

  private func zeroPoints(bits: Int, outputs: Int, groups: Int) throws(IngotError) -> PackedMatrix.Codes? {
    guard let zeros = optional("weight_zero_point") else { return nil }
    try zeros.expect([.plain(.i32), .plain(.i8)])
    let bytes = zeros.storedBytes?.baseAddress
    if zeros.encoding == .plain(.i8) {
      // One for all is what one scale for all has, and is nothing when it is zero.
      if zeros.shape.count == 1, groups == 1, ingot_bytes_are(bytes, 1, 0) != 0 { return nil }
      guard zeros.shape.count == outputs * groups, zeros.shape.dims.first == outputs || outputs * groups == 1
      else {
        throw zeros.error(.shape, "it is \(zeros.shape), where scales call for [\(outputs), \(groups)]")
      }
      if zeros.shape.count > 0, ingot_bytes_are(bytes, Int64(zeros.shape.count), 0) != 0 { return nil }
      let range = -(1 << (bits - 1))..<1 << (bits - 1)
      if let bad = zeros.storedBytes?.first(where: { !range.contains(Int(Int8(bitPattern: $0))) }) {
        throw zeros.error(.format, "a zero point is \(Int8(bitPattern: bad)), with \(bits) bits")
      }
      return PackedMatrix.Codes(tensor: zeros, rowStride: groups, bits: bits, areBytes: true)
    }
    let words = (outputs * bits + 31) / 32
    try zeros.expect([.plain(.i32)], [words, groups])
    let middle: UInt32 = bits == 4 ? 0x8888_8888 : 0x8080_8080
    if ingot_words_are(bytes, Int64(zeros.shape.count), middle) != 0 { return nil }
    return PackedMatrix.Codes(
      tensor: zeros, rowStride: groups, columnStride: 1, rowsPerWord: 32 / bits, bits: bits)
  }
}
