/// NumPy's `.npy` format, version 1.0.
/// Source: `numpy/lib/format.py`.
public enum NPY {
  /// Writes a tensor, whole or not at all.
  /// - Throws: `.io`; `.unsupported` for bf16, which NumPy lacks.
  public static func write(_ tensor: HostTensor, to path: String) throws(IngotError) {
    var file = try AtomicFile(path: path)
    try file.write(npyHeader: header(dtype: tensor.dtype, shape: tensor.shape))
    try file.write(tensor.bytes)
    try file.commit()
  }

  /// Maps a file and views its elements.
  /// - Throws: `.io`, `.format`, `.unsupported` for other dtypes, big-endian or Fortran order.
  public static func read(path: String) throws(IngotError) -> HostTensor {
    let file = try MappedFile(path: path)
    var reader = ByteReader(file)
    let magic = try reader.take(6)
    guard Array(magic) == [0x93] + Array("NUMPY".utf8) else {
      throw IngotError(.format, "not a .npy file", at: .init(file: path, offset: 0))
    }
    let major = try reader.read(UInt8.self)
    _ = try reader.read(UInt8.self)
    let length = major == 1 ? Int(try reader.read(UInt16.self)) : Int(try reader.read(UInt32.self))
    let header = String(decoding: try reader.take(length), as: UTF8.self)
    let (dtype, shape) = try parse(header: header, path: path)
    let bytes = try file.bytes(at: reader.offset, count: shape.count * dtype.byteCount)
    guard reader.offset + bytes.count == file.byteCount else {
      throw IngotError(
        .format, "\(file.byteCount - reader.offset) bytes of data where shape \(shape) takes \(bytes.count)",
        at: .init(file: path, offset: reader.offset))
    }
    return try HostTensor(dtype: dtype, shape: shape, bytes: bytes, storage: file)
  }

  private static let descriptors: [(DType, String)] = [
    (.f64, "<f8"), (.f32, "<f4"), (.f16, "<f2"), (.i64, "<i8"), (.i32, "<i4"), (.i16, "<i2"), (.i8, "|i1"),
    (.u64, "<u8"), (.u32, "<u4"), (.u16, "<u2"), (.u8, "|u1"), (.bool, "|b1"),
  ]

  static func header(dtype: DType, shape: Shape) throws(IngotError) -> String {
    guard let descriptor = descriptors.first(where: { $0.0 == dtype })?.1 else {
      throw IngotError(.unsupported, "NumPy has no \(dtype)", hint: "convert to f32 first")
    }
    let dims = shape.dims.map { "\($0)," }.joined(separator: " ")
    let dictionary = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(dims)), }"
    // Magic, version and length take 10 bytes; the data starts at a multiple of 64.
    let padding = (64 - (10 + dictionary.utf8.count + 1) % 64) % 64
    return dictionary + String(repeating: " ", count: padding) + "\n"
  }

  private static func parse(header: String, path: String) throws(IngotError) -> (DType, Shape) {
    func broken(_ what: String) -> IngotError {
      IngotError(.format, "\(what) in the .npy header \(header)", at: .init(file: path, offset: 10))
    }
    func value(after key: String) -> Substring? {
      guard let range = header.firstRange(of: "'\(key)':") else { return nil }
      return header[range.upperBound...].drop { $0 == " " }
    }
    guard let descriptor = value(after: "descr")?.dropFirst().prefix(while: { $0 != "'" }) else {
      throw broken("no descr")
    }
    guard let dtype = descriptors.first(where: { $0.1.dropFirst() == descriptor.dropFirst() })?.0,
      descriptor.first != ">"
    else {
      throw IngotError(.unsupported, "dtype '\(descriptor)' is not read", at: .init(file: path, offset: 10))
    }
    guard let order = value(after: "fortran_order") else { throw broken("no fortran_order") }
    guard order.hasPrefix("False") else {
      throw IngotError(.unsupported, "Fortran order is not read", at: .init(file: path, offset: 10))
    }
    guard let tuple = value(after: "shape"), tuple.first == "(" else { throw broken("no shape") }
    var dims: [Int] = []
    for field in tuple.dropFirst().prefix(while: { $0 != ")" }).split(separator: ",") {
      let text = field.drop { $0 == " " }
      if text.isEmpty { continue }
      guard let dim = Int(text) else { throw broken("impossible shape") }
      dims.append(dim)
    }
    do { return (dtype, try Shape(checking: dims)) } catch { throw error.inFile(path) }
  }
}

extension AtomicFile {
  /// Writes the magic, version and length that precede an `.npy` header of ASCII text, then the header.
  mutating func write(npyHeader text: String) throws(IngotError) {
    let length = UInt16(text.utf8.count)
    let bytes: [UInt8] =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)]
      + Array(text.utf8)
    let result: Result<Void, IngotError> = bytes.withUnsafeBytes { buffer in
      do throws(IngotError) { return .success(try write(buffer)) } catch { return .failure(error) }
    }
    try result.get()
  }
}
