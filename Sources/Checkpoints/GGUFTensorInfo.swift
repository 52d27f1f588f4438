import IngotCore

/// The description of a tensor in a GGUF header, as it stands there.
struct GGUFTensorInfo {
  let name: String
  /// Extents, innermost first.
  let dims: [UInt64]
  /// The type's number.
  let type: UInt32
  /// Offset from the start of the data.
  let offset: UInt64
  /// Where the description is.
  let place: IngotError.Place

  /// Checks the description against the file and locates the data.
  func tensor(
    in file: MappedFile, dataStart: Int, alignment: Int, name hfName: String, rowOrder: (Shape) -> RowOrder
  ) throws(IngotError) -> CheckpointTensor {
    let encoding = try encoding()
    let shape = try shape()
    let columns = shape.dims.last ?? 1
    guard columns % encoding.blockWeights == 0 else {
      throw error("rows of \(columns) weights are no whole number of \(encoding) blocks")
    }
    // At most 8 bytes a weight: `Shape` has made sure that the product fits.
    let size = shape.count / encoding.blockWeights * encoding.blockBytes
    guard offset % UInt64(alignment) == 0 else {
      throw error("its offset \(offset) is no multiple of the alignment \(alignment)")
    }
    let available = max(0, file.byteCount - dataStart)
    guard offset <= UInt64(available), size <= available - Int(offset) else {
      throw error(
        "its \(size) bytes at \(offset) reach beyond the file's \(available) bytes of data",
        hint: "the download may be incomplete; fetch the file again")
    }
    let start = min(dataStart, file.byteCount) + Int(offset)
    let order = rowOrder(shape)
    if order != .natural, shape.rank == 1, encoding.blockWeights > 1 {
      throw error("a quantised bias whose elements are reordered", kind: .unsupported)
    }
    return CheckpointTensor(
      name: hfName, storedName: name, encoding: encoding, shape: shape, file: file,
      byteRange: start..<start + size, rowOrder: order)
  }

  private func error(
    _ what: String, kind: IngotError.Kind = .format, hint: String? = nil
  ) -> IngotError {
    IngotError(kind, what, at: place, hint: hint)
  }

  private func shape() throws(IngotError) -> Shape {
    var extents: [Int] = []
    for dim in dims.reversed() {
      guard let extent = Int(exactly: dim) else { throw error("a dimension of \(dim)") }
      extents.append(extent)
    }
    do { return try Shape(checking: extents) } catch { throw self.error(error.what) }
  }

  private func encoding() throws(IngotError) -> TensorEncoding {
    if let block = GGUFBlockType(rawValue: type) { return .block(block) }
    switch type {
    case 0: return .plain(.f32)
    case 1: return .plain(.f16)
    case 24: return .plain(.i8)
    case 25: return .plain(.i16)
    case 26: return .plain(.i32)
    case 27: return .plain(.i64)
    case 28: return .plain(.f64)
    case 30: return .plain(.bf16)
    default:
      let supported = "F32, F16, BF16, \(GGUFBlockType.allCases.map(\.description).joined(separator: ", "))"
      throw error(
        "tensor type \(Self.unreadTypes[type].map { "\($0) (\(type))" } ?? "\(type)") is not supported",
        kind: .unsupported, hint: "supported: \(supported)")
    }
  }

  /// Names of the types that ggml defines and Ingot does not read.
  private static let unreadTypes: [UInt32: String] = [
    9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0",
    39: "MXFP4", 40: "NVFP4", 41: "Q1_0", 42: "Q2_0",
  ]
}
