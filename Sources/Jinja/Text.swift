#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A Python string: valid UTF-8 that is compared, hashed and ordered by scalars.
///
/// Not `String`, whose equality is canonical equivalence and whose elements are grapheme clusters: both
/// would make `"é"|length` or a dictionary key differ from Python. Comparing UTF-8 bytes is comparing
/// scalars.
struct Text: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The UTF-8 code units.
  var bytes: [UInt8]
  /// See `markup`; no part of what the text is equal to.
  var isMarkup = false

  init(bytes: [UInt8] = []) { self.bytes = bytes }
  init(bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }
  init(_ string: String) { bytes = Array(string.utf8) }
  init(stringLiteral value: String) { bytes = Array(value.utf8) }

  init(_ scalars: some Sequence<Unicode.Scalar>) {
    bytes = []
    for scalar in scalars { append(scalar: scalar) }
  }

  /// As a Swift string.
  var string: String { String(decoding: bytes, as: UTF8.self) }
  var isEmpty: Bool { bytes.isEmpty }

  /// Whether every scalar is one byte, so that scalar indexes are byte indexes.
  var isASCII: Bool {
    bytes.withUnsafeBufferPointer { buffer in
      var all: UInt8 = 0
      for byte in buffer { all |= byte }
      return all < 0x80
    }
  }

  /// The number of scalars: Python's `len`.
  var count: Int {
    bytes.withUnsafeBufferPointer { buffer in
      var count = 0
      for byte in buffer where byte & 0xC0 != 0x80 { count += 1 }
      return count
    }
  }

  /// The scalars, in order.
  var scalars: [Unicode.Scalar] { Array(string.unicodeScalars) }

  mutating func append(scalar: Unicode.Scalar) {
    if scalar.value < 0x80 { bytes.append(UInt8(scalar.value)) } else { bytes += Array(UTF8.encode(scalar)!) }
  }

  mutating func append(_ other: Text) { bytes += other.bytes }

  static func + (left: Text, right: Text) -> Text { Text(bytes: left.bytes + right.bytes) }

  /// Orders by scalar values, as Python does.
  static func < (left: Text, right: Text) -> Bool {
    let common = min(left.bytes.count, right.bytes.count)
    let order = memcmp(left.bytes, right.bytes, common)
    return order == 0 ? left.bytes.count < right.bytes.count : order < 0
  }

  static func == (left: Text, right: Text) -> Bool {
    left.bytes.count == right.bytes.count && memcmp(left.bytes, right.bytes, left.bytes.count) == 0
  }

  func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

extension Text {
  /// The byte offset of the first occurrence at or after `start`.
  func firstIndex(of needle: Text, from start: Int = 0, to end: Int? = nil) -> Int? {
    let end = end ?? bytes.count
    guard start <= end, needle.bytes.count <= end - start else { return nil }
    return bytes.withUnsafeBufferPointer { haystack in
      needle.bytes.withUnsafeBufferPointer { needle in
        TextSearch(haystack, needle, start..<end).first()
      }
    }
  }

  /// The byte offset of the last occurrence that ends at or before `end`.
  func lastIndex(of needle: Text, from start: Int = 0, to end: Int? = nil) -> Int? {
    let end = end ?? bytes.count
    guard start <= end, needle.bytes.count <= end - start else { return nil }
    return bytes.withUnsafeBufferPointer { haystack in
      needle.bytes.withUnsafeBufferPointer { needle in
        TextSearch(haystack, needle, start..<end).last()
      }
    }
  }

  func contains(_ needle: Text) -> Bool { firstIndex(of: needle) != nil }
  func hasPrefix(_ prefix: Text) -> Bool {
    prefix.bytes.count <= bytes.count && memcmp(bytes, prefix.bytes, prefix.bytes.count) == 0
  }
  func hasSuffix(_ suffix: Text) -> Bool {
    let start = bytes.count - suffix.bytes.count
    return start >= 0 && bytes[start...].elementsEqual(suffix.bytes)
  }

  /// The number of occurrences that do not overlap; of an empty needle one per gap.
  func occurrences(of needle: Text) -> Int {
    if needle.isEmpty { return count + 1 }
    var found = 0
    var at = 0
    while let next = firstIndex(of: needle, from: at) {
      found += 1
      at = next + needle.bytes.count
    }
    return found
  }

  /// Python's `replace`; a negative limit means all.
  func replacing(_ old: Text, with new: Text, limit: Int = -1) -> Text {
    var result = Text()
    var left = limit < 0 ? Int.max : limit
    if old.isEmpty {
      for scalar in scalars {
        if left > 0 {
          result.append(new)
          left -= 1
        }
        result.append(scalar: scalar)
      }
      if left > 0 { result.append(new) }
      return result
    }
    var at = 0
    while left > 0, let next = firstIndex(of: old, from: at) {
      result.bytes += bytes[at..<next]
      result.append(new)
      at = next + old.bytes.count
      left -= 1
    }
    result.bytes += bytes[at...]
    return result
  }

  /// Elements of a slice `[start:stop:step]`, by scalars.
  func sliced(_ slice: SliceIndices) -> Text {
    if isASCII {
      if slice.step == 1 { return Text(bytes: bytes[slice.start..<slice.start + slice.count]) }
      return Text(bytes: (0..<slice.count).map { bytes[slice.start + $0 * slice.step] })
    }
    let scalars = self.scalars
    return Text((0..<slice.count).map { scalars[slice.start + $0 * slice.step] })
  }

  /// The first scalars.
  func prefix(_ count: Int) -> Text {
    sliced(SliceIndices(start: 0, stop: max(count, 0), step: 1, length: self.count))
  }
}

/// Python's `slice.indices`: where a slice starts, its step and how many elements it has.
struct SliceIndices {
  let start: Int
  let step: Int
  let count: Int

  /// - Precondition: `step` is not zero.
  init(start: Int?, stop: Int?, step: Int?, length: Int) {
    let step = max(step ?? 1, -Int.max)
    let lowest = step < 0 ? -1 : 0
    let highest = step < 0 ? length - 1 : length
    func clamp(_ value: Int) -> Int { min(max(value < 0 ? value + length : value, lowest), highest) }
    let first = start.map(clamp) ?? (step < 0 ? highest : lowest)
    let last = stop.map(clamp) ?? (step < 0 ? lowest : highest)
    if step > 0 {
      count = last > first ? (last - first - 1) / step + 1 : 0
    } else {
      count = first > last ? (first - last - 1) / -step + 1 : 0
    }
    // An empty slice starts somewhere harmless.
    self.start = count == 0 ? 0 : first
    self.step = step
  }
}
