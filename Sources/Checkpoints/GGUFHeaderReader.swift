import IngotCore

/// Reads the head of a GGUF file (versions 2 and 3), bounds-checked, allocating no more than the file's
/// own size could hold.
/// Source: ggml `docs/gguf.md`.
struct GGUFHeaderReader {
  static let maximumArrayDepth = 4
  static let maximumKeyBytes = 65_535
  static let maximumNameBytes = 1024

  private let file: MappedFile
  private var reader: ByteReader

  init(_ file: MappedFile) {
    self.file = file
    reader = ByteReader(file)
  }

  /// Everything before the tensor data.
  mutating func header() throws(IngotError) -> (GGUFMetadata, [GGUFTensorInfo], infoEnd: Int) {
    let (metadata, tensorCount) = try pairs()
    var infos: [GGUFTensorInfo] = []
    for _ in 0..<tensorCount { infos.append(try tensorInfo()) }
    return (metadata, infos, reader.offset)
  }

  /// The metadata, and how many tensors follow; the reader then stands at the first.
  private mutating func pairs() throws(IngotError) -> (GGUFMetadata, tensorCount: Int) {
    try checkMagic()
    try checkVersion()
    // A tensor info takes at least 24 bytes, a key-value pair 13.
    let tensorCount = try reader.readCount(elementBytes: 24, of: "tensors")
    let pairCount = try reader.readCount(elementBytes: 13, of: "metadata pairs")
    var metadata = GGUFMetadata(path: file.path)
    for _ in 0..<pairCount {
      let key = try string(limit: Self.maximumKeyBytes, of: "a metadata key")
      let type = try valueType(key: key)
      try metadata.append(key, try value(type, key: key))
    }
    return (metadata, tensorCount)
  }

  /// A GGUF file with the same metadata and no tensors.
  mutating func metadataAlone() throws(IngotError) -> [UInt8] {
    _ = try pairs()
    var bytes = [UInt8](file.bytes[..<reader.offset])
    // Magic and version take 8 bytes; the number of tensors the next 8.
    for index in 8..<16 { bytes[index] = 0 }
    return bytes
  }

  private func error(_ what: String, at offset: Int, key: String? = nil) -> IngotError {
    IngotError(.format, what, at: .init(file: file.path, offset: offset, key: key))
  }

  private mutating func checkMagic() throws(IngotError) {
    guard file.bytes.prefix(4).elementsEqual("GGUF".utf8) else {
      throw error("not a GGUF file: it does not begin with \"GGUF\"", at: 0)
    }
    _ = try reader.take(4)
  }

  private mutating func checkVersion() throws(IngotError) {
    let version = try reader.read(UInt32.self)
    if version == 2 || version == 3 { return }
    let place = IngotError.Place(file: file.path, offset: 4)
    if (1...3).contains(version.byteSwapped) {
      throw IngotError(
        .unsupported, "the file is big-endian", at: place,
        hint: "convert the model on a little-endian machine")
    }
    throw IngotError(
      .unsupported, "GGUF version \(version) is not supported", at: place, hint: "versions 2 and 3 are read")
  }

  private mutating func string(limit: Int, of what: String) throws(IngotError) -> String {
    let start = reader.offset
    let length = try reader.readCount(elementBytes: 1, of: "bytes of \(what)")
    guard length <= limit else { throw error("\(what) of \(length) bytes", at: start) }
    guard let text = String(validating: try reader.take(length), as: UTF8.self) else {
      throw error("\(what) is not valid UTF-8", at: start + 8)
    }
    return text
  }

  private mutating func valueType(key: String) throws(IngotError) -> GGUFValueType {
    let offset = reader.offset
    let raw = try reader.read(UInt32.self)
    guard let type = GGUFValueType(rawValue: raw) else {
      throw error("unknown metadata type \(raw)", at: offset, key: key)
    }
    return type
  }

  private mutating func value(_ type: GGUFValueType, key: String) throws(IngotError) -> GGUFValue {
    switch type {
    case .uint8: return .unsigned(UInt64(try reader.read(UInt8.self)))
    case .int8: return .signed(Int64(try reader.read(Int8.self)))
    case .uint16: return .unsigned(UInt64(try reader.read(UInt16.self)))
    case .int16: return .signed(Int64(try reader.read(Int16.self)))
    case .uint32: return .unsigned(UInt64(try reader.read(UInt32.self)))
    case .int32: return .signed(Int64(try reader.read(Int32.self)))
    case .uint64: return .unsigned(try reader.read(UInt64.self))
    case .int64: return .signed(try reader.read(Int64.self))
    case .float32: return .float(try reader.readFloat())
    case .float64: return .double(try reader.readDouble())
    case .bool:
      let offset = reader.offset
      let byte = try reader.read(UInt8.self)
      guard byte <= 1 else { throw error("a boolean of value \(byte)", at: offset, key: key) }
      return .bool(byte == 1)
    case .string:
      return .string(try string(limit: .max, of: "the text of \(key)"))
    case .array:
      let (elementType, count) = try arrayHead(key: key)
      let start = reader.offset
      try skip(elementType, count: count, key: key, depth: 1)
      let array = GGUFArray(
        elementType: elementType, count: count, key: key, file: file, byteRange: start..<reader.offset)
      return .array(array)
    }
  }

  private mutating func arrayHead(key: String) throws(IngotError) -> (GGUFValueType, Int) {
    let type = try valueType(key: key)
    return (type, try reader.readCount(elementBytes: type.minimumBytes, of: "elements of \(key)"))
  }

  /// Steps over array elements, checking that they lie in the file.
  private mutating func skip(
    _ type: GGUFValueType, count: Int, key: String, depth: Int
  ) throws(IngotError) {
    guard !type.isFixedWidth else {
      _ = try reader.take(count * type.minimumBytes)
      return
    }
    guard type == .array else { return try skipStrings(count, key: key) }
    guard depth < Self.maximumArrayDepth else {
      throw error("arrays nested deeper than \(Self.maximumArrayDepth)", at: reader.offset, key: key)
    }
    for _ in 0..<count {
      let (type, count) = try arrayHead(key: key)
      try skip(type, count: count, key: key, depth: depth + 1)
    }
  }

  private mutating func skipStrings(_ count: Int, key: String) throws(IngotError) {
    let bytes = file.bytes
    let start = reader.offset
    var offset = start
    for index in 0..<count {
      guard bytes.count - offset >= 8 else {
        throw error("string \(index) is cut short", at: offset, key: key)
      }
      let length = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
      guard length <= UInt64(bytes.count - offset - 8) else {
        throw error("string \(index) of \(length) bytes reaches beyond the file", at: offset, key: key)
      }
      offset += 8 + Int(length)
    }
    _ = try reader.take(offset - start)
  }

  private mutating func tensorInfo() throws(IngotError) -> GGUFTensorInfo {
    let start = reader.offset
    let name = try string(limit: Self.maximumNameBytes, of: "a tensor name")
    let rank = try reader.read(UInt32.self)
    let place = IngotError.Place(file: file.path, tensor: name, offset: start)
    guard rank <= 4 else {
      throw IngotError(.format, "\(rank) dimensions where the format allows 4", at: place)
    }
    var dims: [UInt64] = []
    for _ in 0..<rank { dims.append(try reader.read(UInt64.self)) }
    let type = try reader.read(UInt32.self)
    let offset = try reader.read(UInt64.self)
    return GGUFTensorInfo(name: name, dims: dims, type: type, offset: offset, place: place)
  }
}
