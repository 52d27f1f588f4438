internal import IngotCore
internal import ONNXRuntime

extension OrtValue {
  /// Integers of the dtype that a port has, i64 or i32.
  /// - Throws: `.unsupported` for another dtype.
  convenience init(
    _ runtime: OrtRuntime, _ numbers: [Int], shape: Shape, for port: TensorPort, file: String
  ) throws(IngotError) {
    try self.init(runtime, dtype: port.dtype, shape: shape)
    try fill(numbers, for: port, file: file)
  }

  /// Overwrites its elements.
  func fill(_ numbers: [Int], for port: TensorPort, file: String) throws(IngotError) {
    precondition(numbers.count == shape.count)
    switch dtype {
    case .i64:
      let target = bytes.bindMemory(to: Int64.self)
      for (index, number) in numbers.enumerated() { target[index] = Int64(number) }
    case .i32:
      let target = bytes.bindMemory(to: Int32.self)
      for (index, number) in numbers.enumerated() { target[index] = Int32(clamping: number) }
    case .f64, .f32, .f16, .bf16, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
      throw IngotError(
        .unsupported, "the input \(port) should be i64 or i32", at: .init(file: file, tensor: port.name))
    }
  }
}
