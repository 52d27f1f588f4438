import CKernels
import IngotCore

/// GPTQ: `qweight` i32 [K·bits/32, N] packed along the inputs, `qzeros` i32 [G, N·bits/32], `scales` [G, N], `g_idx`
/// i32 [K]. AWQ has the same pieces but the last, packed in other ways.
extension PackedLayer {
  /// - Throws: `.format`, `.shape` naming the tensor at fault; `.unsupported`.
  func gptq(_ scheme: GPTQScheme) throws(IngotError) -> PackedMatrix {
    let (weight, zeros, scales) = try pieces()
    let (wordRows, outputs) = try weight.expectMatrix([.plain(.i32)])
    let (groups, _) = try scales.expectMatrix(.scales)
    try scales.expect(.scales, [groups, outputs])
    let (_, zeroWords) = try zeros.expectMatrix([.plain(.i32)])
    let bits = zeroWords <= 1 << 40 ? zeroWords * 32 / outputs : 0
    guard bits * outputs == zeroWords * 32 else {
      throw zeros.error(
        .shape, "it is \(zeros.shape), no whole number of bits for each of \(outputs) outputs")
    }
    guard bits == 4 || bits == 8 else {
      throw zeros.error(.unsupported, "weights of \(bits) bits are not read; 4 and 8 are")
    }
    try zeros.expect([.plain(.i32)], [groups, zeroWords])
    let per = 32 / bits
    let inputs = wordRows * per
    try checkGroups(
      scales, groups: groups, inputs: inputs, configured: scheme.isPerLayer ? [] : [scheme.groupSize])
    let codes = PackedMatrix.Codes(
      tensor: weight, rowStride: 1, columnStride: outputs, columnsPerWord: per, bits: bits)
    return PackedMatrix(
      layer: name, outputs: outputs, inputs: inputs, groups: groups, codes: codes,
      zeros: zeroPoints(zeros, scheme, bits: bits, outputs: outputs),
      scales: .init(tensor: scales, rowStride: 1, groupStride: outputs),
      groupOf: try groupOf(optional("g_idx"), inputs: inputs, groups: groups))
  }

  /// Zero points are stored one too small, unless the format is the second. Of a symmetric model all are the middle,
  /// so that the file itself says which it is; what is written beside it is wrong now and then.
  private func zeroPoints(
    _ tensor: CheckpointTensor, _ scheme: GPTQScheme, bits: Int, outputs: Int
  ) -> PackedMatrix.Codes? {
    let ones: UInt32 = bits == 4 ? 0x1111_1111 : 0x0101_0101
    let middle = ones << UInt32(bits - 1)
    func all(_ value: UInt32) -> Bool {
      ingot_words_are(tensor.storedBytes?.baseAddress, Int64(tensor.shape.count), value) != 0
    }
    let stored = scheme.isV2 ? middle : middle &- ones
    let other = scheme.isV2 ? middle &- ones : middle
    if all(stored) || scheme.isSymmetric && all(other) { return nil }
    return PackedMatrix.Codes(
      tensor: tensor, rowStride: 1, columnStride: tensor.shape[1], rowsPerWord: 32 / bits, bits: bits,
      add: scheme.isV2 ? 0 : ones)
  }

  func pieces() throws(IngotError) -> (
    weight: CheckpointTensor, zeros: CheckpointTensor, scales: CheckpointTensor
  ) {
    guard let weight = optional("qweight") else {
      throw IngotError(.format, "a packed weight without \"qweight\"", at: .init(tensor: name))
    }
    return (weight, try required("qzeros", for: weight), try required("scales", for: weight))
  }
}
