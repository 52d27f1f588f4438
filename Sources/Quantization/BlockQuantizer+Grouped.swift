import CKernels
import Checkpoints

extension BlockQuantizer {
  /// The codes, scales and zero points that groups consist of; nil when a minimum is no integral zero point.
  ///
  /// A group of the encoding becomes as many of the scheme as it is long.
  func keep(
    _ source: UnsafeRawBufferPointer, _ format: GroupedFormat, count: Int, codes: UnsafeMutablePointer<UInt8>,
    scales: UnsafeMutablePointer<Float>, zeros: UnsafeMutablePointer<UInt8>
  ) -> ingot_quantized? {
    let repeats = format.groupSize / (scheme.groupSize ?? format.groupSize)
    let groups = count / format.groupSize
    return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 2 * groups) { halves in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * groups) { numbers in
        guard let halves = halves.baseAddress, let numbers = numbers.baseAddress else { return nil }
        let integers = UnsafeMutableRawPointer(codes).assumingMemoryBound(to: Int8.self)
        (halves + groups).update(repeating: 0, count: groups)
        ingot_split_grouped(
          format.kernelFormat, source.baseAddress, Int64(groups), integers, halves, halves + groups)
        ingot_f16_to_f32(halves, numbers, 2 * groups)
        for group in 0..<groups {
          guard numbers[group].isFinite else { return INGOT_NOT_FINITE }
          guard let zero = zero(format, scale: numbers[group], minimum: numbers[groups + group]) else {
            return nil
          }
          for index in group * repeats..<(group + 1) * repeats {
            (scales[index], zeros[index]) = (numbers[group], zero)
          }
        }
        // Signed bytes become codes around 128; symmetric codes around 8 move to the scheme's middle.
        let shift = format.bits == 8 ? 128 : format.hasMinimum ? 0 : middle &- 8
        if shift != 0 { for index in 0..<count { codes[index] &+= shift } }
        return INGOT_QUANTIZED
      }
    }
  }

  /// The zero point z of w = scale · (code - z) in a group; nil when it is not an integer that a code can be.
  private func zero(_ format: GroupedFormat, scale: Float, minimum: Float) -> UInt8? {
    guard format.hasMinimum else { return middle }
    // Stored integers are codes - offset, and minimum = (offset - z) · scale, rounded to f16: 2⁻¹¹ of it.
    let offset: Float = format.bits == 8 ? 128 : 0
    guard scale != 0 else { return minimum == 0 ? UInt8(offset) : nil }
    let distance = minimum / scale
    let zero = (offset - distance).rounded()
    guard zero >= 0, zero < Float(1 << format.bits), abs(offset - distance - zero) <= abs(distance) * 0x1p-11
    else { return nil }
    return UInt8(zero)
  }
}
