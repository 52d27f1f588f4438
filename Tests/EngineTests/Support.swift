import CKernels
import Engine
import IngotCore
import TestSupport

extension HostTensor {
  /// Random floats in a dtype.
  static func random(_ dtype: DType, _ dims: [Int], _ random: inout SplitMix64, scale: Float = 1) throws
    -> HostTensor
  {
    let shape = Shape(dims)
    let values = random.floats(shape.count, -scale...scale)
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
