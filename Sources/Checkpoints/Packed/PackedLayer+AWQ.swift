import CKernels
import IngotCore

/// AWQ, of 4 bits: gemm has `qweight` i32 [K, N/8] and `qzeros` i32 [G, N/8] packed along the outputs in an order of its
/// own, and `scales` [G, N]; gemv has `qweight` i32 [N, K/8] and `qzeros` i32 [N, ≥ G/8] along the inputs, and
/// `scales` [N, ≥ G], the width of the last two rounded up.
extension PackedLayer {
  /// - Throws: `.format`, `.shape` naming the tensor at fault; `.unsupported`.
  func awq(_ scheme: AWQScheme) throws(IngotError) -> PackedMatrix {
    scheme.isGEMV ? try gemv(scheme) : try gemm(scheme)
  }

  private func gemm(_ scheme: AWQScheme) throws(IngotError) -> PackedMatrix {
    let (weight, zeros, scales) = try pieces()
    let (inputs, words) = try weight.expectMatrix([.plain(.i32)])
    let (groups, outputs) = try scales.expectMatrix(.scales)
    guard words == outputs / 8, outputs % 8 == 0 else {
      throw weight.error(
        .shape, "it is \(weight.shape), where \(outputs) outputs of AWQ call for [inputs, \(outputs / 8)]",
        hint: "weights packed along the inputs are version gemv")
    }
    try zeros.expect([.plain(.i32)], [groups, words])
    try checkGroups(scales, groups: groups, inputs: inputs, configured: [scheme.groupSize])
    func codes(_ tensor: CheckpointTensor) -> PackedMatrix.Codes {
      .init(tensor: tensor, rowStride: 1, columnStride: words, rowsPerWord: 8, bits: 4, isAWQ: true)
    }
    return PackedMatrix(
      layer: name, outputs: outputs, inputs: inputs, groups: groups, codes: codes(weight),
      zeros: zeros.isAllMiddle ? nil : codes(zeros),
      scales: .init(tensor: scales, rowStride: 1, groupStride: outputs))
  }

  private func gemv(_ scheme: AWQScheme) throws(IngotError) -> PackedMatrix {
    let (weight, zeros, scales) = try pieces()
    let (outputs, words) = try weight.expectMatrix([.plain(.i32)])
    let inputs = words * 8
    let (_, width) = try scales.expectMatrix(.scales)
    // Rows of scales are longer than the groups, so only the configuration says how many there are.
    let size = scheme.groupSize ?? inputs
    guard inputs % size == 0, inputs / size <= width else {
      throw scales.error(
        .shape, "it is \(scales.shape), too narrow for \(inputs) inputs of which \(size) share a scale")
    }
    try scales.expect(.scales, [outputs, width])
    let (_, zeroWords) = try zeros.expectMatrix([.plain(.i32)])
    guard zeroWords >= (inputs / size + 7) / 8 else {
      throw zeros.error(.shape, "it is \(zeros.shape), too narrow for \(inputs / size) groups")
    }
    try zeros.expect([.plain(.i32)], [outputs, zeroWords])
    func codes(_ tensor: CheckpointTensor, _ words: Int) -> PackedMatrix.Codes {
      .init(tensor: tensor, rowStride: words, columnStride: 1, columnsPerWord: 8, bits: 4)
    }
    return PackedMatrix(
      layer: name, outputs: outputs, inputs: inputs, groups: inputs / size, codes: codes(weight, words),
      // What rounds the width up is zero, so a symmetric model is seen as such only where nothing does.
      zeros: zeros.isAllMiddle ? nil : codes(zeros, zeroWords),
      scales: .init(tensor: scales, rowStride: width, groupStride: 1))
  }
}

extension CheckpointTensor {
  /// Whether all words are eight codes of 8.
  fileprivate var isAllMiddle: Bool {
    ingot_words_are(storedBytes?.baseAddress, Int64(shape.count), 0x8888_8888) != 0
  }
}
