/// Turns bytes into valid UTF-8 as they come, holding back a sequence that is not complete yet.
///
/// Each maximal part of an ill-formed sequence becomes one U+FFFD, as Unicode recommends and Rust and
/// Python do, so that the result does not depend on where the bytes were divided.
/// Source: The Unicode Standard 16, section 3.9, table 3-7.
struct UTF8Repair: Sendable, Equatable {
  private var pending: (UInt8, UInt8, UInt8) = (0, 0, 0)
  private var pendingCount = 0
  /// Bytes that the pending sequence still needs.
  private var missing = 0
  /// Bounds of the next continuation byte.
  private var low: UInt8 = 0x80
  private var high: UInt8 = 0xBF

  /// Whether an incomplete sequence is held back.
  var isPending: Bool { pendingCount > 0 }

  static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  /// Takes bytes and appends those that are complete.
  mutating func push(_ bytes: some Sequence<UInt8>, to result: inout [UInt8]) {
    for byte in bytes { push(byte, to: &result) }
  }

  @inline(__always)
  mutating func push(_ byte: UInt8, to result: inout [UInt8]) {
    if missing > 0 {
      if byte >= low, byte <= high {
        (low, high) = (0x80, 0xBF)
        missing &-= 1
        if missing == 0 {
          appendPending(to: &result)
          result.append(byte)
        } else {
          hold(byte)
        }
        return
      }
      finish(to: &result)
    }
    if byte < 0x80 { result.append(byte) } else { begin(byte, to: &result) }
  }

  private mutating func begin(_ byte: UInt8, to result: inout [UInt8]) {
    switch byte {
    case 0xC2...0xDF: missing = 1
    case 0xE0...0xEF:
      missing = 2
      if byte == 0xE0 { low = 0xA0 }
      if byte == 0xED { high = 0x9F }
    case 0xF0...0xF4:
      missing = 3
      if byte == 0xF0 { low = 0x90 }
      if byte == 0xF4 { high = 0x8F }
    default:
      result += Self.replacement
      return
    }
    hold(byte)
  }

  /// Ends the text: what is held back is ill-formed.
  mutating func finish(to result: inout [UInt8]) {
    if pendingCount > 0 { result += Self.replacement }
    (pendingCount, missing, low, high) = (0, 0, 0x80, 0xBF)
  }

  private mutating func hold(_ byte: UInt8) {
    switch pendingCount {
    case 0: pending.0 = byte
    case 1: pending.1 = byte
    default: pending.2 = byte
    }
    pendingCount += 1
  }

  private mutating func appendPending(to result: inout [UInt8]) {
    result.append(pending.0)
    if pendingCount > 1 { result.append(pending.1) }
    if pendingCount > 2 { result.append(pending.2) }
    pendingCount = 0
  }

  static func == (left: UTF8Repair, right: UTF8Repair) -> Bool {
    left.pending == right.pending && left.pendingCount == right.pendingCount
      && left.missing == right.missing && left.low == right.low && left.high == right.high
  }
}
