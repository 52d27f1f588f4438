import IngotCore

/// Whatever is neither a scalar nor a list or dictionary: functions, macros, loops, namespaces, ranges,
/// iterators. The methods say what each can do; by default nothing.
class RuntimeObject {
  /// How deep containers nest in it.
  let depth: Int

  init(depth: Int = 1) { self.depth = depth }

  var typeName: String { "object" }
  /// Python's `len`; nil when it has none.
  var length: Int? { nil }
  var isCallable: Bool { false }
  var isIterable: Bool { false }
  /// Whether it has a length and can be subscripted.
  var isSequence: Bool { false }

  func attribute(_ name: String) throws(IngotError) -> Value? { nil }
  func item(_ index: Value) throws(IngotError) -> Value? { nil }
  func equals(_ other: RuntimeObject) -> Bool { false }

  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(IngotError) -> Value {
    throw .python("'\(typeName)' object is not callable")
  }

  func iterator(_ interpreter: Interpreter) throws(IngotError) -> ValueIterator {
    throw .python("'\(typeName)' object is not iterable")
  }

  func contains(_ value: Value, _ interpreter: Interpreter) throws(IngotError) -> Bool {
    guard isIterable else { throw .python("argument of type '\(typeName)' is not iterable") }
    let iterator = try iterator(interpreter)
    while let next = try iterator.next() {
      try interpreter.charge(steps: 1)
      if next.equals(value) { return true }
    }
    return false
  }

  func writeRepr(to writer: inout ReprWriter, depth: Int) { writer.write(Text("<\(typeName) object>")) }
}

/// A source of values, one at a time.
class ValueIterator {
  /// How many values there are in all, when that is known without running.
  var count: Int? { nil }

  func next() throws(IngotError) -> Value? { nil }
}

/// Walks values in memory.
final class ArrayIterator: ValueIterator {
  private let items: [Value]
  private var position = 0

  init(_ items: [Value]) { self.items = items }

  override var count: Int? { items.count }

  override func next() throws(IngotError) -> Value? {
    guard position < items.count else { return nil }
    position += 1
    return items[position - 1]
  }
}

/// Yields the values of another iterator that pass a test.
final class FilterIterator: ValueIterator {
  private let source: ValueIterator
  private let test: (Value) throws(IngotError) -> Bool

  init(_ source: ValueIterator, _ test: @escaping (Value) throws(IngotError) -> Bool) {
    (self.source, self.test) = (source, test)
  }

  override func next() throws(IngotError) -> Value? {
    while let value = try source.next() {
      if try test(value) { return value }
    }
    return nil
  }
}

/// A Python generator or iterator: it can be walked once, and is only computed when it is walked.
final class GeneratorObject: RuntimeObject {
  private let name: String
  private var produce: (() throws(IngotError) -> [Value])?
  private var source: ArrayIterator?

  /// - Parameter over: the value it is computed from.
  init(
    _ name: String = "generator", over value: Value, _ produce: @escaping () throws(IngotError) -> [Value]
  ) {
    (self.name, self.produce) = (name, produce)
    super.init(depth: value.depth + 1)
  }

  override var typeName: String { name }
  override var isIterable: Bool { true }

  override func iterator(_ interpreter: Interpreter) throws(IngotError) -> ValueIterator { Walk(self) }

  private final class Walk: ValueIterator {
    private let generator: GeneratorObject
    init(_ generator: GeneratorObject) { self.generator = generator }

    override func next() throws(IngotError) -> Value? {
      if let produce = generator.produce {
        generator.produce = nil
        generator.source = ArrayIterator(try produce())
      }
      return try generator.source?.next()
    }
  }
}

/// `range(…)`.
final class RangeObject: RuntimeObject {
  let slice: SliceIndices
  private let bounds: (start: Int, stop: Int, step: Int)

  init(start: Int, stop: Int, step: Int, count: Int) {
    bounds = (start, stop, step)
    slice = SliceIndices(first: start, step: step, count: count)
    super.init()
  }

  override var typeName: String { "range" }
  override var length: Int? { slice.count }
  override var isIterable: Bool { true }
  override var isSequence: Bool { true }
  var values: [Value] { (0..<slice.count).map { .int(slice.start + $0 * slice.step) } }

  override func item(_ index: Value) throws(IngotError) -> Value? {
    guard let index = index.integer else { return nil }
    let at = index < 0 ? index + slice.count : index
    return (0..<slice.count).contains(at) ? .int(slice.start + at * slice.step) : nil
  }

  override func equals(_ other: RuntimeObject) -> Bool {
    guard let other = other as? RangeObject, other.slice.count == slice.count else { return false }
    return slice.count == 0
      || slice.start == other.slice.start && (slice.count == 1 || slice.step == other.slice.step)
  }

  override func iterator(_ interpreter: Interpreter) throws(IngotError) -> ValueIterator {
    try interpreter.charge(bytes: 16, times: slice.count)
    return ArrayIterator(values)
  }

  override func writeRepr(to writer: inout ReprWriter, depth: Int) {
    let step = bounds.step == 1 ? "" : ", \(bounds.step)"
    writer.write(Text("range(\(bounds.start), \(bounds.stop)\(step))"))
  }
}

extension SliceIndices {
  /// A progression whose elements are known to be representable.
  init(first: Int, step: Int, count: Int) { (start, self.step, self.count) = (first, step, count) }
}

/// What `items()`, `keys()` and `values()` of a dictionary return.
final class DictViewObject: RuntimeObject {
  enum Kind: String { case keys, values, items }
  let dict: ValueDict
  private let kind: Kind

  init(_ dict: ValueDict, _ kind: Kind) {
    (self.dict, self.kind) = (dict, kind)
    super.init(depth: dict.extent.depth + 1)
  }

  override var typeName: String { "dict_\(kind.rawValue)" }
  override var length: Int? { dict.entries.count }
  override var isIterable: Bool { true }

  var values: [Value] {
    switch kind {
    case .keys: dict.keys
    case .values: dict.entries.map(\.value)
    case .items: dict.entries.map { .tuple([$0.key, $0.value]) }
    }
  }

  override func iterator(_ interpreter: Interpreter) throws(IngotError) -> ValueIterator {
    try interpreter.charge(bytes: kind == .items ? 80 : 16, times: dict.entries.count)
    return ArrayIterator(values)
  }

  override func equals(_ other: RuntimeObject) -> Bool {
    guard let other = other as? DictViewObject, kind == other.kind, kind != .values else { return false }
    let (left, right) = (Value.dict(dict), Value.dict(other.dict))
    if kind == .items { return left.equals(right) }
    return dict.entries.count == other.dict.entries.count && dict.hashes.allSatisfy { other.dict[$0] != nil }
  }

  override func writeRepr(to writer: inout ReprWriter, depth: Int) {
    writer.write(Text("dict_\(kind.rawValue)("))
    writer.write(values, "[", "]", depth)
    writer.write(")")
  }
}

extension RangeObject {
  /// A part of the range, as a range.
  func sliced(_ part: SliceIndices) -> RangeObject {
    let start = slice.start &+ part.start &* slice.step
    let step = slice.step &* part.step
    return RangeObject(start: start, stop: start &+ part.count &* step, step: step, count: part.count)
  }
}
