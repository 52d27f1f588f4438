/// Little-endian numbers one after another.
struct ByteSink {
  private(set) var bytes: [UInt8] = []

  mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
  mutating func append(_ value: Double) { append(value.bitPattern) }
  mutating func append(_ values: [UInt8]) {
    append(UInt32(values.count))
    bytes += values
  }
  mutating func append(_ values: [Float]) {
    append(UInt32(values.count))
    for value in values { append(value.bitPattern) }
  }
  mutating func append(_ text: String) { append(Array(text.utf8)) }
}

/// Reads what a `ByteSink` wrote; nil at the end, and for counts that cannot be.
struct ByteSource {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func number<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
    guard rest.count >= MemoryLayout<T>.size else { return nil }
    var value: T = 0
    for byte in rest.prefix(MemoryLayout<T>.size).reversed() {
      value = value << 8 | T(truncatingIfNeeded: byte)
    }
    rest = rest.dropFirst(MemoryLayout<T>.size)
    return value
  }
  mutating func double() -> Double? { number(UInt64.self).map(Double.init(bitPattern:)) }
  /// A count of things of so many bytes at least.
  mutating func count(_ size: Int = 1) -> Int? {
    guard let count = number(UInt32.self).map(Int.init), count <= rest.count / size else { return nil }
    return count
  }
  mutating func bytes() -> [UInt8]? {
    guard let count = count() else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
  mutating func floats() -> [Float]? {
    guard let count = count(4) else { return nil }
    return (0..<count).map { _ in Float(bitPattern: number(UInt32.self) ?? 0) }
  }
  mutating func text() -> String? { bytes().flatMap { String(validating: $0, as: UTF8.self) } }
}

extension LayerResult {
  /// The layer as bytes.
  var encoded: [UInt8] {
    var sink = ByteSink()
    sink.append(UInt32(groups.count))
    for group in groups {
      sink.append(UInt32(group.layer))
      sink.append(UInt32(group.weights.count))
      for weight in group.weights { sink.append(weight) }
      sink.append(group.ratio ?? -1)
      for number in [group.error, group.plainError, group.clipped] { sink.append(number) }
    }
    sink.append(UInt32(transforms.count))
    for part in transforms {
      sink.append(part.tensor)
      sink.append(part.transform.columns ?? [])
      sink.append(part.transform.rows ?? [])
      sink.append(part.transform.offset.bitPattern)
      sink.append(UInt32(part.transform.clips?.groupSize ?? 0))
      sink.append(UInt32(part.transform.clips?.steps ?? 0))
      sink.append(part.transform.clips?.shrinks ?? [])
    }
    return sink.bytes
  }

  /// Reads what `encoded` wrote; nil for anything else.
  init?(bytes: [UInt8]) {
    var source = ByteSource(bytes)
    guard let groups = source.count(36) else { return nil }
    for _ in 0..<groups {
      guard let layer = source.number(UInt32.self), let weights = source.count(4) else { return nil }
      let names = (0..<weights).map { _ in source.text() }
      guard let ratio = source.double(), let error = source.double(), let plainError = source.double(),
        let clipped = source.double(), !names.contains(nil)
      else { return nil }
      self.groups.append(
        .init(
          layer: Int(layer), weights: names.compactMap(\.self), ratio: ratio < 0 ? nil : ratio, error: error,
          plainError: plainError, clipped: clipped))
    }
    guard let parts = source.count(28) else { return nil }
    for _ in 0..<parts {
      guard let tensor = source.text(), let columns = source.floats(), let rows = source.floats(),
        let offset = source.number(UInt32.self), let group = source.number(UInt32.self),
        let steps = source.number(UInt32.self), let shrinks = source.bytes()
      else { return nil }
      let clips = TensorTransform.Clips(groupSize: Int(group), steps: Int(steps), shrinks: shrinks)
      transforms.append(
        .init(
          tensor: tensor,
          transform: TensorTransform(
            columns: columns.isEmpty ? nil : columns, rows: rows.isEmpty ? nil : rows,
            offset: Float(bitPattern: offset), clips: group == 0 ? nil : clips)))
    }
    guard source.isAtEnd else { return nil }
  }
}
