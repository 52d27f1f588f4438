#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Finds bytes in bytes: by `memchr` and `memcmp` as long as they do well, then by Knuth, Morris and
/// Pratt's algorithm, so that hostile text costs linear time too.
/// Source: Knuth, Morris, Pratt, "Fast Pattern Matching in Strings", doi:10.1137/0206024.
struct TextSearch {
  private let haystack: UnsafeBufferPointer<UInt8>
  private let needle: UnsafeBufferPointer<UInt8>
  private let range: Range<Int>

  /// - Precondition: the range lies in the haystack and is at least as long as the needle.
  init(
    _ haystack: UnsafeBufferPointer<UInt8>, _ needle: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) {
    (self.haystack, self.needle, self.range) = (haystack, needle, range)
  }

  /// The start of the first occurrence.
  func first() -> Int? {
    guard let base = haystack.baseAddress, let pattern = needle.baseAddress, needle.count > 0 else {
      return range.lowerBound
    }
    var at = range.lowerBound
    let last = range.upperBound - needle.count
    var misses = 0
    while at <= last {
      guard let found = memchr(base + at, Int32(pattern[0]), last - at + 1) else { return nil }
      at = UnsafeRawPointer(found) - UnsafeRawPointer(base)
      if memcmp(base + at, pattern, needle.count) == 0 { return at }
      at += 1
      misses += 1
      if misses > 256 { return walk(from: at, wantsLast: false) }
    }
    return nil
  }

  /// The start of the last occurrence.
  func last() -> Int? {
    guard let base = haystack.baseAddress, let pattern = needle.baseAddress, needle.count > 0 else {
      return range.upperBound
    }
    var at = range.upperBound - needle.count
    var misses = 0
    while at >= range.lowerBound {
      if base[at] == pattern[0] {
        if memcmp(base + at, pattern, needle.count) == 0 { return at }
        misses += 1
        if misses > 256 { return walk(from: range.lowerBound, wantsLast: true) }
      }
      at -= 1
    }
    return nil
  }

  private func walk(from start: Int, wantsLast: Bool) -> Int? {
    // `border[i]`: the longest proper prefix of the needle that ends the needle's first i + 1 bytes.
    var border = [Int](repeating: 0, count: needle.count)
    var length = 0
    for index in 1..<max(needle.count, 1) {
      while length > 0 && needle[index] != needle[length] { length = border[length - 1] }
      if needle[index] == needle[length] { length += 1 }
      border[index] = length
    }
    var found: Int?
    length = 0
    for index in start..<range.upperBound {
      while length > 0 && haystack[index] != needle[length] { length = border[length - 1] }
      if haystack[index] == needle[length] { length += 1 }
      if length == needle.count {
        found = index + 1 - needle.count
        if !wantsLast { return found }
        length = border[length - 1]
      }
    }
    return found
  }
}
