import IngotCore

extension IngotError {
  /// A mistake of the template, in Python's words where it has some; the interpreter adds the line.
  static func python(_ what: String) -> IngotError { IngotError(.template, what) }

  /// The same error with the line named, unless it names one already.
  func onLine(_ line: Int) -> IngotError {
    var copy = self
    copy.place.line = copy.place.line ?? "\(line)"
    return copy
  }
}

extension Array {
  /// Sorts so that equal elements keep their order, with a comparison that can fail: a merge sort.
  func stableSorted(
    by isLess: (Element, Element) throws(IngotError) -> Bool
  ) throws(IngotError) -> [Element] {
    var source = self
    var width = 1
    while width < count {
      var merged: [Element] = []
      merged.reserveCapacity(count)
      for start in stride(from: 0, to: count, by: 2 * width) {
        let middle = Swift.min(start + width, count)
        let end = Swift.min(start + 2 * width, count)
        var (left, right) = (start, middle)
        while left < middle && right < end {
          if try isLess(source[right], source[left]) {
            merged.append(source[right])
            right += 1
          } else {
            merged.append(source[left])
            left += 1
          }
        }
        merged += source[left..<middle]
        merged += source[right..<end]
      }
      source = merged
      width *= 2
    }
    return source
  }
}
