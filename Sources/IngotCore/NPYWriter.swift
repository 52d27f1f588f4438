/// Writes an `.npy` file piece by piece, so that a tensor larger than memory can pass; the file appears whole
/// or not at all.
public struct NPYWriter: ~Copyable {
  private var file: AtomicFile
  private let path: String
  private var missing: Int

  /// Begins a file.
  /// - Throws: `.io` when it cannot be written; `.unsupported` for bf16, which NumPy lacks.
  public init(path: String, dtype: DType, shape: Shape) throws(IngotError) {
    let header = try NPY.header(dtype: dtype, shape: shape)
    var file = try AtomicFile(path: path)
    try file.write(npyHeader: header)
    self.file = file
    self.path = path
    missing = shape.count * dtype.byteCount
  }

  /// Appends elements in row-major order.
  /// - Throws: `.io`; `.shape` when they are more than the shape has.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    guard bytes.count <= missing else {
      throw IngotError(.shape, "\(bytes.count - missing) bytes too many for the shape", at: .init(file: path))
    }
    missing -= bytes.count
    try file.write(bytes)
  }

  /// Gives the file its name.
  /// - Throws: `.shape` when elements are missing, `.io`; then there is no file.
  public consuming func commit() throws(IngotError) {
    guard missing == 0 else {
      throw IngotError(.shape, "\(missing) bytes of the shape were not written", at: .init(file: path))
    }
    try file.commit()
  }
}
