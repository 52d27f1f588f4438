internal import COnnxRuntime
public import IngotCore

/// A tensor that ONNX Runtime reads or writes: a view of our memory, or memory it allocated itself.
public final class OrtValue: @unchecked Sendable {
  /// Element type.
  public let dtype: DType
  /// Extents.
  public let shape: Shape
  /// The elements, valid as long as this value lives. A value made of a `HostTensor` may be read-only memory.
  public let bytes: UnsafeMutableRawBufferPointer
  let handle: OpaquePointer
  private let runtime: OrtRuntime
  private let storage: AnyObject?

  /// Views a tensor without copying it, unless its elements are not aligned.
  /// - Throws: `.memory`.
  public convenience init(_ runtime: OrtRuntime, _ tensor: HostTensor) throws(IngotError) {
    let start = UnsafeMutableRawPointer(mutating: tensor.bytes.baseAddress)
    if let start, UInt(bitPattern: start) % UInt(tensor.dtype.byteCount) == 0 {
      try self.init(
        runtime, tensor.dtype, tensor.shape, start, storage: KeptTensor(tensor))
    } else {
      let buffer = try AlignedBuffer(byteCount: tensor.bytes.count)
      buffer.bytes.copyMemory(from: tensor.bytes)
      try self.init(runtime, tensor.dtype, tensor.shape, buffer.base, storage: buffer)
    }
  }

  /// Views part of a buffer.
  /// - Parameter offset: bytes before the first element; a multiple of the element's size.
  /// - Throws: `.shape` when the tensor does not fit into the buffer there; `.memory`.
  public convenience init(
    _ runtime: OrtRuntime, dtype: DType, shape: Shape, buffer: AlignedBuffer, offset: Int = 0
  ) throws(IngotError) {
    let byteCount = shape.count * dtype.byteCount
    guard offset >= 0, offset % dtype.byteCount == 0, byteCount <= buffer.byteCount,
      offset <= buffer.byteCount - byteCount
    else {
      throw IngotError(
        .shape,
        "a \(dtype) tensor of shape \(shape) at byte \(offset) does not fit a buffer of \(buffer.byteCount) bytes"
      )
    }
    try self.init(runtime, dtype, shape, buffer.base + offset, storage: buffer)
  }

  /// Allocates zeroed memory.
  /// - Throws: `.memory`.
  public convenience init(_ runtime: OrtRuntime, dtype: DType, shape: Shape) throws(IngotError) {
    let buffer = try AlignedBuffer(byteCount: shape.count * dtype.byteCount)
    try self.init(runtime, dtype, shape, buffer.base, storage: buffer)
  }

  private init(
    _ runtime: OrtRuntime, _ dtype: DType, _ shape: Shape, _ start: UnsafeMutableRawPointer,
    storage: AnyObject?
  ) throws(IngotError) {
    let byteCount = shape.count * dtype.byteCount
    var made: OpaquePointer?
    try runtime.check(
      runtime.api.pointee.CreateTensorWithDataAsOrtValue(
        runtime.memory, start, byteCount, shape.dims.map(Int64.init), shape.rank, dtype.onnxElementType, &made
      ),
      "make a tensor", .memory)
    guard let made else { throw IngotError(.memory, "ONNX Runtime made no tensor") }
    (self.runtime, self.dtype, self.shape, handle) = (runtime, dtype, shape, made)
    bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    self.storage = storage
  }

  /// Takes over a value that the library made.
  /// - Throws: `.unsupported` for what is no tensor or has elements without a `DType`.
  init(taking handle: OpaquePointer, _ runtime: OrtRuntime, name: String, file: String) throws(IngotError) {
    let api = runtime.api
    var info: OpaquePointer?
    defer { if info != nil { api.pointee.ReleaseTensorTypeAndShapeInfo(info) } }
    do throws(IngotError) {
      let doing = "describe the output \"\(name)\""
      var isTensor: Int32 = 0
      try runtime.check(api.pointee.IsTensor(handle, &isTensor), doing, .format, file: file)
      guard isTensor != 0 else {
        throw IngotError(
          .unsupported, "the output \"\(name)\" is not a tensor", at: .init(file: file, tensor: name))
      }
      try runtime.check(api.pointee.GetTensorTypeAndShape(handle, &info), doing, .format, file: file)
      guard let info else { throw IngotError(.format, "an output has no shape", at: .init(file: file)) }
      var type: Int32 = 0
      try runtime.check(api.pointee.GetTensorElementType(info, &type), doing, .format, file: file)
      guard let dtype = DType(onnxElementType: type) else {
        throw IngotError(
          .unsupported, "the output \"\(name)\" holds \(DType.onnxName(type))",
          at: .init(file: file, tensor: name))
      }
      shape = try Shape(checking: try runtime.dims(of: info, file: file).map { Int($0) })
      var start: UnsafeMutableRawPointer?
      try runtime.check(api.pointee.GetTensorMutableData(handle, &start), doing, .format, file: file)
      bytes = UnsafeMutableRawBufferPointer(
        start: start, count: start == nil ? 0 : shape.count * dtype.byteCount)
      self.dtype = dtype
    } catch {
      api.pointee.ReleaseValue(handle)
      throw error
    }
    (self.runtime, self.handle, storage) = (runtime, handle, nil)
  }

  deinit { runtime.api.pointee.ReleaseValue(handle) }

  /// The elements as a tensor, which keeps this value; nothing is copied.
  /// - Throws: never for a value that has memory.
  public func hostTensor() throws(IngotError) -> HostTensor {
    try HostTensor(dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(bytes), storage: self)
  }
}

/// Keeps a tensor's memory: its storage cannot be had from outside.
private final class KeptTensor {
  let tensor: HostTensor
  init(_ tensor: HostTensor) { self.tensor = tensor }
}
