import CKernels
import Engine
import IngotCore

/// SplitMix64: the same numbers on every machine.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func floats(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in Float(Int64(bitPattern: next()) >> 40) / Float(1 << 23) * scale }
  }
}

extension HostTensor {
  /// Random floats in a dtype.
  static func random(_ dtype: DType, _ dims: [Int], _ random: inout Seeded, scale: Float = 1) throws
    -> HostTensor
  {
    let shape = Shape(dims)
    let values = random.floats(shape.count, scale: scale)
    guard dtype == .f16 else { return try HostTensor(values, shape: shape) }
    var halves = [UInt16](repeating: 0, count: values.count)
    ingot_f32_to_f16(values, &halves, values.count)
    return try HostTensor(halves, dtype: .f16, shape: shape)
  }

  /// The elements as floats.
  var floats: [Float] {
    guard dtype == .f16 else { return array(of: Float.self) }
    var values = [Float](repeating: 0, count: shape.count)
    ingot_f16_to_f32(array(of: UInt16.self), &values, shape.count)
    return values
  }
}

/// Σ(a − b)² / Σb²: 0 for equal, 1 for unrelated.
func normalisedError(_ a: [Float], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  var (difference, size) = (0.0, 0.0)
  for (x, y) in zip(a, b) {
    difference += (Double(x) - y) * (Double(x) - y)
    size += y * y
  }
  return difference / max(size, 1e-30)
}

extension NetworkOptions {
  /// Options for tests, which run in parallel: no spinning.
  static func test(threads: Int = 1, fuses: Bool = true) -> NetworkOptions {
    var options = NetworkOptions()
    options.engine = EngineOptions(threads: threads)
    options.engine.spins = 0
    options.fuses = fuses
    return options
  }
}
