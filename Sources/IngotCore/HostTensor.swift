/// A dense, row-major tensor in main memory: what users hand to a network and get back.
///
/// A view: `storage` keeps the bytes alive, so copies are cheap and share their elements.
public struct HostTensor: @unchecked Sendable {
  /// Element type.
  public let dtype: DType
  /// Extents.
  public let shape: Shape
  /// The elements; valid as long as this value exists.
  public let bytes: UnsafeRawBufferPointer
  private let storage: AnyObject?

  /// Views bytes that `storage` keeps alive.
  /// - Throws: `.shape` when the byte count is not that of the shape.
  public init(
    dtype: DType, shape: Shape, bytes: UnsafeRawBufferPointer, storage: AnyObject?
  ) throws(IngotError) {
    guard bytes.count == shape.count * dtype.byteCount else {
      throw IngotError(
        .shape,
        "a \(dtype) tensor of shape \(shape) takes \(shape.count * dtype.byteCount) bytes, got \(bytes.count)"
      )
    }
    (self.dtype, self.shape, self.bytes, self.storage) = (dtype, shape, bytes, storage)
  }

  /// Copies elements of a Swift array, whose type must be `dtype`'s.
  /// - Throws: `.shape` when the element count is not the shape's; `.memory`.
  public init<Element: BitwiseCopyable>(
    _ elements: [Element], dtype: DType, shape: Shape
  ) throws(IngotError) {
    let buffer = try AlignedBuffer(byteCount: elements.count * MemoryLayout<Element>.stride)
    elements.withUnsafeBytes { buffer.bytes.copyMemory(from: $0) }
    try self.init(dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
  }

  /// Copies the bytes of elements.
  init(_ bytes: [UInt8], bytesOf dtype: DType, shape: Shape) throws(IngotError) {
    let buffer = try AlignedBuffer(byteCount: bytes.count)
    bytes.withUnsafeBytes { buffer.bytes.copyMemory(from: $0) }
    try self.init(dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
  }

  /// Copies 32-bit floats.
  /// - Throws: as `init(_:dtype:shape:)`.
  public init(_ elements: [Float], shape: Shape) throws(IngotError) {
    try self.init(elements, dtype: .f32, shape: shape)
  }

  /// Copies 64-bit integers.
  /// - Throws: as `init(_:dtype:shape:)`.
  public init(_ elements: [Int64], shape: Shape) throws(IngotError) {
    try self.init(elements, dtype: .i64, shape: shape)
  }

  /// The elements as a Swift array of the type that `dtype` is.
  /// - Precondition: `Element` has the width of `dtype`.
  public func array<Element: BitwiseCopyable>(of type: Element.Type = Element.self) -> [Element] {
    precondition(MemoryLayout<Element>.stride == dtype.byteCount, "\(Element.self) is not \(dtype)")
    return [Element](unsafeUninitializedCapacity: shape.count) { target, count in
      UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
      count = shape.count
    }
  }
}
