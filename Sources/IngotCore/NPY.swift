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
    return try tensor(file, 0..<file.byteCount)
  }

  /// Views the elements of an `.npy` file that is part of another; copies them when they are not aligned.
  /// - Precondition: the range is in the file.
  static func tensor(_ file: MappedFile, _ range: Range<Int>) throws(IngotError) -> HostTensor {
    let path = file.path
    var reader = ByteReader(file, at: range.lowerBound)
    func take(_ count: Int) throws(IngotError) -> UnsafeRawBufferPointer {
      guard count <= range.upperBound - reader.offset else {
        throw IngotError(
          .format, "a .npy file of \(range.count) bytes, shorter than its header",
          at: .init(file: path, offset: reader.offset))
      }
      return try reader.take(count)
    }
    guard Array(try take(6)) == magic else {
      throw IngotError(.format, "not a .npy file", at: .init(file: path, offset: range.lowerBound))
    }
    let major = try take(2)[0]
    let length = try take(major == 1 ? 2 : 4).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = String(decoding: try take(length), as: UTF8.self)
    let (dtype, shape) = try parse(header: header, path: path)
    guard range.upperBound - reader.offset == shape.count * dtype.byteCount else {
      throw IngotError(
        .format,
        "\(range.upperBound - reader.offset) bytes of data where shape \(shape) takes \(shape.count * dtype.byteCount)",
        at: .init(file: path, offset: reader.offset))
    }
    let bytes = try take(shape.count * dtype.byteCount)
    if Int(bitPattern: bytes.baseAddress) % dtype.byteCount != 0 {
      return try HostTensor(Array(bytes), bytesOf: dtype, shape: shape)
    }
    return try HostTensor(dtype: dtype, shape: shape, bytes: bytes, storage: file)
  }

  private static let magic = [0x93] + Array("NUMPY".utf8)

  /// All that precedes the elements.
  static func prefix(_ header: String) -> [UInt8] {
    let length = UInt16(header.utf8.count)
    return magic + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)] + Array(header.utf8)
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
      IngotError(.format, "\(what) in the .npy header \(header)", at: .init(file: path))
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
      throw IngotError(.unsupported, "dtype '\(descriptor)' is not read", at: .init(file: path))
    }
    guard let order = value(after: "fortran_order") else { throw broken("no fortran_order") }
    guard order.hasPrefix("False") else {
      throw IngotError(.unsupported, "Fortran order is not read", at: .init(file: path))
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
  /// Writes what precedes the elements of an `.npy` file.
  mutating func write(npyHeader text: String) throws(IngotError) {
    try NPY.prefix(text).withBytes { (bytes) throws(IngotError) in try write(bytes) }
  }
}

extension Array where Element == UInt8 {
  /// `withUnsafeBytes` that knows the type of what it throws.
  func withBytes(_ body: (UnsafeRawBufferPointer) throws(IngotError) -> Void) throws(IngotError) {
    let result: Result<Void, IngotError> = withUnsafeBytes { bytes in
      do throws(IngotError) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    try result.get()
  }
}
