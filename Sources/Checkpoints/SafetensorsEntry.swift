import IngotCore

/// A member of a safetensors header: `{"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}`.
struct SafetensorsEntry {
  let name: String
  let json: JSONValue
  let file: MappedFile
  let dataStart: Int

  func tensor() throws(IngotError) -> CheckpointTensor {
    guard json.object != nil else { throw broken("a header entry must be an object") }
    let dtype = try dtype()
    let shape = try shape()
    let range = try dataRange()
    // `Shape` has made sure that this product fits.
    let expected = shape.count * dtype.byteCount
    guard range.count == expected else {
      throw broken("data_offsets span \(range.count) bytes where \(dtype) \(shape) takes \(expected)")
    }
    return CheckpointTensor(
      name: name, storedName: name, encoding: .plain(dtype), shape: shape, file: file, byteRange: range)
  }

  private func broken(_ what: String, kind: IngotError.Kind = .format, hint: String? = nil) -> IngotError {
    IngotError(kind, what, at: .init(file: file.path, tensor: name), hint: hint)
  }

  private static let dtypes: [String: DType] = [
    "F64": .f64, "F32": .f32, "F16": .f16, "BF16": .bf16, "I64": .i64, "I32": .i32, "I16": .i16, "I8": .i8,
    "U64": .u64, "U32": .u32, "U16": .u16, "U8": .u8, "BOOL": .bool,
  ]

  /// Types of the format that Ingot does not read.
  private static let unreadDTypes: Set<String> = [
    "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4", "C64",
  ]

  private func dtype() throws(IngotError) -> DType {
    guard let text = json["dtype"]?.string else { throw broken("the entry has no dtype") }
    if let dtype = Self.dtypes[text] { return dtype }
    guard Self.unreadDTypes.contains(text) else { throw broken("unknown dtype \"\(text)\"") }
    throw broken(
      "dtype \(text) is not supported", kind: .unsupported,
      hint: "supported: \(Self.dtypes.keys.sorted().joined(separator: ", "))")
  }

  private func shape() throws(IngotError) -> Shape {
    guard let values = json["shape"]?.array else { throw broken("the entry has no shape") }
    var dims: [Int] = []
    for value in values {
      guard case .int(let dim) = value else { throw broken("the shape is not a list of integers") }
      dims.append(dim)
    }
    do { return try Shape(checking: dims) } catch { throw broken(error.what) }
  }

  private func dataRange() throws(IngotError) -> Range<Int> {
    guard let pair = json["data_offsets"]?.array, pair.count == 2,
      case .int(let begin) = pair[0], case .int(let end) = pair[1]
    else { throw broken("data_offsets must be two integers") }
    let available = file.byteCount - dataStart
    guard begin >= 0, begin <= end else { throw broken("impossible data_offsets [\(begin), \(end)]") }
    guard end <= available else {
      throw broken(
        "data_offsets [\(begin), \(end)] end beyond the file's \(available) bytes of data",
        hint: "the download may be incomplete; fetch the file again")
    }
    return dataStart + begin..<dataStart + end
  }
}
