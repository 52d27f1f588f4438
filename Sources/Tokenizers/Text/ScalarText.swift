/// Valid UTF-8 bytes read scalar by scalar.
///
/// The bytes come from a `String`, so they are valid and positions are trusted to be boundaries. The
/// caller keeps them alive.
struct ScalarText {
  let base: UnsafePointer<UInt8>
  /// Length in bytes.
  let end: Int
  let classes: ScalarClassTable

  @inline(__always) init(_ bytes: UnsafeBufferPointer<UInt8>) {
    // An empty buffer may have no address; nothing is read through the stand-in.
    base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
    end = bytes.count
    classes = .shared
  }

  /// The scalar at a position before `end`, and where the next begins.
  @inline(__always) func scalar(at position: Int) -> (value: UInt32, next: Int) {
    let first = base[position]
    if first < 0x80 { return (UInt32(first), position &+ 1) }
    return multibyteScalar(at: position, first)
  }

  @inline(__always) private func multibyteScalar(at position: Int, _ first: UInt8) -> (
    value: UInt32, next: Int
  ) {
    func tail(_ offset: Int) -> UInt32 {
      let index = position &+ offset
      return index < end ? UInt32(base[index] & 0x3F) : 0
    }
    if first < 0xE0 {
      return (UInt32(first & 0x1F) << 6 | tail(1), min(position &+ 2, end))
    }
    if first < 0xF0 {
      return (UInt32(first & 0x0F) << 12 | tail(1) << 6 | tail(2), min(position &+ 3, end))
    }
    let value = UInt32(first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3)
    return (min(value, 0x10FFFF), min(position &+ 4, end))
  }

  /// The class of the scalar at a position before `end`, and where the next begins.
  @inline(__always) func classify(at position: Int) -> (class: ScalarClass, next: Int) {
    let (value, next) = scalar(at: position)
    return (classes[value], next)
  }

  /// Where the scalar before a position begins; the position is not zero.
  @inline(__always) func before(_ position: Int) -> Int {
    var index = position &- 1
    while index > 0, base[index] & 0xC0 == 0x80 { index &-= 1 }
    return index
  }

  /// The byte at a position, 0 at the end: enough to compare with ASCII other than NUL.
  @inline(__always) func byte(at position: Int) -> UInt8 { position < end ? base[position] : 0 }
}
