import CKernels
import TestSupport

/// A format with its group, as test arguments.
struct WeightKind: Sendable, CustomStringConvertible {
  let format: ingot_format, group: Int32, name: String
  var description: String { group == 0 ? name : "\(name)/\(group)" }
  var isFloat: Bool { group == 0 }
  var isInt4: Bool { format == INGOT_I4 || format == INGOT_I4M }
  var hasMinimum: Bool { format == INGOT_I8M || format == INGOT_I4M }

  static let floats = [(INGOT_F32, "f32"), (INGOT_F16, "f16"), (INGOT_BF16, "bf16")]
    .map { WeightKind(format: $0.0, group: 0, name: $0.1) }
  static let integers = [(INGOT_I8, "i8"), (INGOT_I8M, "i8m"), (INGOT_I4, "i4"), (INGOT_I4M, "i4m")]
    .flatMap { format, name in [32, 64, 128].map { WeightKind(format: format, group: $0, name: name) } }
  static let all = floats + integers
}

/// A random packed matrix, with the values that were packed.
final class PackedMatrix {
  let kind: WeightKind, n: Int, k: Int
  private(set) var values: [Float] = []  // [n, k]
  private(set) var minimums: [Float] = []  // [n, groups], for formats with minimums
  private let data: UnsafeMutableRawPointer

  /// - Parameter integer: what int8 weights are drawn from.
  init(_ kind: WeightKind, n: Int, k: Int, seed: Int, integer: ClosedRange<Int8> = -128...127) {
    (self.kind, self.n, self.k) = (kind, n, k)
    let bytes = ingot_weight_bytes(kind.format, Int64(n), Int64(k), kind.group)
    data = .allocate(byteCount: max(bytes, 64), alignment: 64)
    data.initializeMemory(as: UInt8.self, repeating: 0xa5, count: bytes)  // packing must write all of it
    var generator = SplitMix64(seed)
    for first in stride(from: 0, to: n, by: 16) {
      let rows = min(16, n - first)
      if kind.isFloat {
        packFloats(first, rows, &generator)
      } else {
        packIntegers(first, rows, integer, &generator)
      }
    }
  }
  deinit { data.deallocate() }

  func tile(_ row: Int) -> UnsafeMutableRawPointer {
    data + row / 16 * ingot_tile_bytes(kind.format, Int64(k), kind.group)
  }

  var weight: ingot_weight {
    ingot_weight(format: kind.format, group: kind.group, n: Int64(n), k: Int64(k), data: data)
  }

  private func packFloats(_ first: Int, _ rows: Int, _ generator: inout SplitMix64) {
    let drawn = generator.floats(rows * k), (format, k) = (kind.format, Int64(k))
    switch format {
    case INGOT_F32:
      values += drawn
      ingot_pack_float_tile(format, k, drawn, k, Int32(rows), tile(first))
    case INGOT_F16:
      let halves = drawn.map { Float16($0) }
      values += halves.map { Float($0) }
      ingot_pack_float_tile(format, k, halves, k, Int32(rows), tile(first))
    default:
      let halves = drawn.map { UInt16($0.bitPattern >> 16) }
      values += halves.map { Float(bitPattern: UInt32($0) << 16) }
      ingot_pack_float_tile(format, k, halves, k, Int32(rows), tile(first))
    }
  }

  private func packIntegers(
    _ first: Int, _ rows: Int, _ integer: ClosedRange<Int8>, _ generator: inout SplitMix64
  ) {
    let groups = (k + Int(kind.group) - 1) / Int(kind.group), range = kind.isInt4 ? 0...15 : integer
    let q = (0..<rows * k).map { _ in Int8.random(in: range, using: &generator) }
    let scales = generator.floats(rows * groups, 0.001...0.01).map { Float16($0) }
    let minimums = generator.floats(rows * groups, -0.1...0).map { Float16($0) }
    if kind.hasMinimum { self.minimums += minimums.map { Float($0) } }
    for row in 0..<rows {
      for i in 0..<k {
        let group = row * groups + i / Int(kind.group), offset: Float = kind.format == INGOT_I4 ? 8 : 0
        let scaled = Float(scales[group]) * (Float(q[row * k + i]) - offset)
        values.append(kind.hasMinimum ? scaled + Float(minimums[group]) : scaled)
      }
    }
    ingot_pack_integer_tile(
      kind.format, Int64(k), kind.group, q, scales.map(\.bitPattern),
      kind.hasMinimum ? minimums.map(\.bitPattern) : nil, Int32(rows), tile(first))
  }
}

/// A product to run in several ways. Output rows are `n + 3` apart.
struct Product {
  let matrix: PackedMatrix, m: Int, x: [Float]
  var xStride: Int, bias: [Float]?, residual: [Float]?

  init(_ matrix: PackedMatrix, m: Int, seed: Int, extras: Bool = true) {
    var generator = SplitMix64(seed)
    (self.matrix, self.m, xStride) = (matrix, m, matrix.k + 2)
    x = generator.floats(m * xStride)
    bias = extras ? generator.floats(matrix.n) : nil
    residual = extras ? generator.floats(m * matrix.n) : nil
  }
  init(_ matrix: PackedMatrix, x: [Float]) {
    (self.matrix, self.x, xStride, m) = (matrix, x, matrix.k, x.count / matrix.k)
  }

  static let guardValue: Float = -12345.678

  /// Runs it; nil where something beside the outputs was written.
  /// - Parameter rows: which rows to compute, in one call.
  func run(
    _ isa: ingot_isa, pool: OpaquePointer? = nil, threads: Int = 1, rows: Range<Int>? = nil
  ) -> [Float]? {
    let rows = rows ?? 0..<m, n = matrix.n, stride = n + 3, margin = 32
    var y = [Float](repeating: Self.guardValue, count: rows.count * stride + 2 * margin)
    // x without anything behind its last value: a read beyond is one that address sanitiser sees
    let input = Array(x[rows.lowerBound * xStride..<(rows.upperBound - 1) * xStride + matrix.k])
    let addend = residual.map { Array($0[rows.lowerBound * n..<rows.upperBound * n]) }
    let bytes = ingot_matmul_scratch_bytes(
      matrix.kind.format, Int64(rows.count), Int64(matrix.k), matrix.kind.group, Int32(threads))
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 64), alignment: 64)
    defer { scratch.deallocate() }
    scratch.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes)
    var weight = matrix.weight
    y.withUnsafeMutableBufferPointer { y in
      withUnsafePointer(to: &weight) { weight in
        input.withUnsafeBufferPointer { x in
          withOptional(bias) { bias in
            withOptional(addend) { residual in
              var arguments = ingot_matmul_arguments()
              arguments.weight = weight
              (arguments.m, arguments.x, arguments.x_stride) = (
                Int64(rows.count), x.baseAddress, Int64(xStride)
              )
              arguments.bias = bias
              (arguments.residual, arguments.residual_stride) = (residual, Int64(n))
              (arguments.y, arguments.y_stride) = (y.baseAddress! + margin, Int64(stride))
              var context = ingot_context(
                pool: pool, threads: Int32(threads), isa: isa, scratch: scratch, scratch_bytes: bytes)
              ingot_matmul(&context, &arguments)
            }
          }
        }
      }
    }
    var result: [Float] = []
    for row in 0..<rows.count { result += y[margin + row * stride..<margin + row * stride + n] }
    let guards = y.count { $0.bitPattern == Self.guardValue.bitPattern }
    return guards == y.count - result.count ? result : nil
  }

  private func withOptional<R>(_ values: [Float]?, _ body: (UnsafePointer<Float>?) -> R) -> R {
    guard let values else { return body(nil) }
    return values.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}

/// Every instruction set of this processor, the portable one first.
let instructionSets = (0..<UInt32(INGOT_ISA_COUNT)).map { ingot_isa(rawValue: $0) }.filter {
  ingot_isa_available($0)
}

/// Equal bits, or NaN and NaN: which NaN comes out of two is the processor's choice.
func sameBits(_ a: [Float]?, _ b: [Float]?) -> Bool {
  guard let a, let b, a.count == b.count else { return false }
  return zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
}
