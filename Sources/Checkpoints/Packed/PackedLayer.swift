import IngotCore

/// The tensors that make up one packed weight, and the checks that their readers share.
struct PackedLayer {
  /// What comes before `.qweight` or `.weight_packed`.
  let name: String
  let table: TensorTable

  /// A piece that must be there.
  /// - Throws: `.format` naming it.
  func required(_ piece: String, for other: CheckpointTensor) throws(IngotError) -> CheckpointTensor {
    if let tensor = optional(piece) { return tensor }
    throw other.error(.format, "it belongs to a packed weight whose \"\(name).\(piece)\" is missing")
  }

  func optional(_ piece: String) -> CheckpointTensor? { table["\(name).\(piece)"] }

  /// Inputs per group.
  /// - Throws: `.shape` unless groups share the inputs evenly, and as the configuration says.
  func checkGroups(
    _ scales: CheckpointTensor, groups: Int, inputs: Int, configured: [Int?]
  ) throws(IngotError) {
    guard groups > 0, inputs % groups == 0 else {
      throw scales.error(.shape, "\(groups) groups cannot share \(inputs) inputs evenly")
    }
    let size = inputs / groups
    guard configured.isEmpty || configured.contains(where: { min($0 ?? inputs, inputs) == size }) else {
      let sizes = configured.map { $0.map(String.init) ?? "all inputs" }.joined(separator: " or ")
      throw scales.error(
        .shape,
        "its \(groups) groups make \(size) of \(inputs) inputs share a scale; the configuration says \(sizes)"
      )
    }
  }

  /// The group of each input where groups are no stretches of inputs; nil where they are.
  /// - Parameter piece: the tensor, i32 [inputs]; all zeros, or all −1, stand for stretches too.
  /// - Throws: `.shape`; `.format` for groups that do not exist or are not of one size.
  func groupOf(_ piece: CheckpointTensor?, inputs: Int, groups: Int) throws(IngotError) -> [Int32]? {
    guard let piece else { return nil }
    try piece.expect([.plain(.i32)], [inputs])
    guard let bytes = piece.storedBytes else { return nil }
    let size = inputs / groups
    let values = (0..<inputs).map {
      Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
    }
    if let first = values.first, first == 0 || first == -1, values.allSatisfy({ $0 == first }) { return nil }
    var counts = [Int](repeating: 0, count: groups)
    var isInOrder = true
    for (input, group) in values.enumerated() {
      guard group >= 0, group < groups else {
        throw piece.error(.format, "input \(input) is of group \(group), of \(groups)")
      }
      counts[Int(group)] += 1
      isInOrder = isInOrder && Int(group) == input / size
    }
    if let group = counts.firstIndex(where: { $0 != size }) {
      throw piece.error(.format, "group \(group) has \(counts[group]) inputs, where each must have \(size)")
    }
    return isInOrder ? nil : values
  }
}

extension CheckpointTensor {
  /// Checks encoding and shape.
  /// - Throws: `.format`, `.shape` saying what is expected.
  func expect(_ encodings: [TensorEncoding], _ dims: [Int]) throws(IngotError) {
    try expect(encodings)
    guard shape.dims == dims else {
      throw error(.shape, "it is \(shape), where the layer's other tensors call for \(dims)")
    }
  }

  /// Checks the encoding.
  func expect(_ encodings: [TensorEncoding]) throws(IngotError) {
    guard encodings.contains(encoding) else {
      let names = encodings.map(\.description).joined(separator: " or ")
      throw error(.format, "it is \(encoding), where a packed weight has \(names)")
    }
  }

  /// Checks the encoding and that there are two extents.
  func expectMatrix(_ encodings: [TensorEncoding]) throws(IngotError) -> (Int, Int) {
    try expect(encodings)
    guard shape.rank == 2, shape[0] > 0, shape[1] > 0 else {
      throw error(.shape, "it is \(shape), where a packed weight has two extents")
    }
    return (shape[0], shape[1])
  }
}

extension [TensorEncoding] {
  /// What scales come in.
  static var scales: [TensorEncoding] { [.plain(.f16), .plain(.bf16), .plain(.f32)] }
}
