extension Text {
  /// Which ends `strip` and its kin work on.
  enum Ends { case both, left, right }

  /// Without the given scalars, or white space, at its ends.
  func stripped(_ ends: Ends = .both, of characters: Text? = nil) -> Text {
    let set = characters.map { Set($0.scalars) }
    func drops(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? scalar.isPythonSpace }
    let scalars = string.unicodeScalars
    var view = scalars[...]
    if ends != .right { view = view.drop(while: drops) }
    if ends != .left {
      while let last = view.last, drops(last) { view.removeLast() }
    }
    if view.startIndex == scalars.startIndex && view.endIndex == scalars.endIndex { return self }
    return Text(String(view))
  }

  /// Python's `split(separator, limit)`.
  func split(by separator: Text, limit: Int) -> [Text] {
    var parts: [Text] = []
    var at = 0
    var left = limit < 0 ? Int.max : limit
    while left > 0, let next = firstIndex(of: separator, from: at) {
      parts.append(Text(bytes: bytes[at..<next]))
      at = next + separator.bytes.count
      left -= 1
    }
    parts.append(Text(bytes: bytes[at...]))
    return parts
  }

  /// Python's `rsplit(separator, limit)`.
  func splitFromRight(by separator: Text, limit: Int) -> [Text] {
    var parts: [Text] = []
    var end = bytes.count
    var left = limit < 0 ? Int.max : limit
    while left > 0, let next = lastIndex(of: separator, to: end) {
      parts.append(Text(bytes: bytes[(next + separator.bytes.count)..<end]))
      end = next
      left -= 1
    }
    parts.append(Text(bytes: bytes[..<end]))
    return parts.reversed()
  }

  /// Python's `split()`: at runs of white space.
  func splitAtSpace(limit: Int) -> [Text] {
    var parts: [Text] = []
    var rest = string.unicodeScalars[...]
    var left = limit < 0 ? Int.max : limit
    while true {
      rest = rest.drop { $0.isPythonSpace }
      if rest.isEmpty { return parts }
      if left == 0 { break }
      let word = rest.prefix { !$0.isPythonSpace }
      parts.append(Text(String(word)))
      rest = rest[word.endIndex...]
      left -= 1
    }
    parts.append(Text(String(rest)))
    return parts
  }

  /// Python's `rsplit()`.
  func splitAtSpaceFromRight(limit: Int) -> [Text] {
    let mirrored = Text(scalars.reversed()).splitAtSpace(limit: limit)
    return mirrored.reversed().map { Text($0.scalars.reversed()) }
  }

  /// Python's `splitlines`.
  func lines(keepEnds: Bool = false) -> [Text] {
    var lines: [Text] = []
    var line = Text()
    var previous: Unicode.Scalar?
    for scalar in string.unicodeScalars {
      if previous == "\r" {
        if scalar == "\n" {
          if keepEnds { lines[lines.count - 1].append(scalar: scalar) }
          previous = scalar
          continue
        }
      }
      previous = scalar
      guard scalar.isPythonLineBreak else {
        line.append(scalar: scalar)
        continue
      }
      if keepEnds { line.append(scalar: scalar) }
      lines.append(line)
      line = Text()
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }

  /// The parts with this text between them.
  func joining(_ parts: [Text]) -> Text {
    var result = Text()
    for (index, part) in parts.enumerated() {
      if index > 0 { result.append(self) }
      result.append(part)
    }
    return result
  }

  /// The text `count` times.
  /// - Precondition: the caller has checked the size.
  func repeated(_ count: Int) -> Text {
    var result = Text()
    // However often: nothing to do, and no size to check.
    if isEmpty { return result }
    result.bytes.reserveCapacity(bytes.count * max(count, 0))
    for _ in 0..<max(count, 0) { result.bytes += bytes }
    return result
  }

  /// Widened to at least `width` scalars with `fill`.
  /// - Precondition: the caller has checked `width`.
  func padded(to width: Int, _ side: Ends, with fill: Text = " ") -> Text {
    let length = count
    guard width > length else { return self }
    let missing = width - length
    switch side {
    case .left: return fill.repeated(missing) + self
    case .right: return self + fill.repeated(missing)
    case .both:
      // CPython puts the odd one left when both the padding and the width are odd.
      let left = missing / 2 + (missing & width & 1)
      return fill.repeated(left) + self + fill.repeated(missing - left)
    }
  }
}
