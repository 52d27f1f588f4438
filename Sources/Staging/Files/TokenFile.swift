package import IngotCore

/// Reads token ids from a NumPy file.
package enum TokenFile {
  /// Ids i64 or i32, `[T]` or `[1, T]`.
  /// - Throws: `.io`, `.format`; `.shape` for another type or shape.
  package static func read(_ path: String) throws(IngotError) -> [Int] {
    let tensor = try NPY.read(path: path)
    let dims = tensor.shape.dims
    guard dims.count == 1 || dims.count == 2 && dims[0] == 1 else {
      throw IngotError(
        .shape, "tokens have shape \(tensor.shape); it must be [T] or [1, T]", at: .init(file: path))
    }
    switch tensor.dtype {
    case .i64: return tensor.array(of: Int64.self).map { Int($0) }
    case .i32: return tensor.array(of: Int32.self).map { Int($0) }
    case .f64, .f32, .f16, .bf16, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
      throw IngotError(.shape, "tokens are \(tensor.dtype); they must be i64", at: .init(file: path))
    }
  }
}
