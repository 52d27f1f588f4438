internal import IngotCore
internal import ONNXRuntime

/// The keys and values of one sequence, as a driver keeps them.
protocol ONNXCache: AnyObject {
  /// Tokens that count; what lies behind them is stale.
  var count: Int { get set }
  /// Another cache with the same tokens.
  func fork() -> any ONNXCache
  /// The keys and values of a layer, f32 [heads, count, headDim] each.
  func layer(_ layer: Int) throws(IngotError) -> (key: HostTensor, value: HostTensor)
}

/// The keys and values of one port pair.
struct KVPair {
  let key: OrtValue
  let value: OrtValue
}

/// A cache whose tensors grow: every run makes new ones, which nobody writes to, so forks share them.
final class GrowingCache: ONNXCache {
  var count = 0
  private(set) var pairs: [KVPair]
  /// Tokens in the tensors.
  private var length = 0
  private let geometry: KVGeometry
  private let runtime: OrtRuntime

  /// An empty cache of so many layers.
  init(_ runtime: OrtRuntime, _ geometry: KVGeometry, layers: Int) throws(IngotError) {
    (self.runtime, self.geometry) = (runtime, geometry)
    let shape = try geometry.shape(length: 0)
    let empty = KVPair(
      key: try OrtValue(runtime, dtype: geometry.dtype, shape: shape),
      value: try OrtValue(runtime, dtype: geometry.dtype, shape: shape))
    pairs = Array(repeating: empty, count: layers)
  }

  private init(copying other: GrowingCache) {
    (runtime, geometry, pairs) = (other.runtime, other.geometry, other.pairs)
    (count, length) = (other.count, other.length)
  }

  func fork() -> any ONNXCache { GrowingCache(copying: self) }

  /// The tensors, cut to `count` tokens if some were forgotten.
  func trimmedPairs() throws(IngotError) -> [KVPair] {
    if count < length {
      var cut: [KVPair] = []
      for pair in pairs { cut.append(KVPair(key: try trimmed(pair.key), value: try trimmed(pair.value))) }
      (pairs, length) = (cut, count)
    }
    return pairs
  }

  private func trimmed(_ value: OrtValue) throws(IngotError) -> OrtValue {
    let result = try OrtValue(runtime, dtype: geometry.dtype, shape: try geometry.shape(length: count))
    geometry.copyRows(count, from: value, at: 0, to: result, at: 0)
    return result
  }

  /// Takes the tensors of a run.
  /// - Throws: `.format` unless all have the length.
  func replace(_ pairs: [KVPair], length: Int, file: String) throws(IngotError) {
    let shape = try geometry.shape(length: length)
    guard pairs.count == self.pairs.count else {
      throw IngotError(
        .format, "the run gave \(pairs.count) caches of \(self.pairs.count)", at: .init(file: file))
    }
    for value in pairs.flatMap({ [$0.key, $0.value] })
    where value.shape != shape || value.dtype != geometry.dtype {
      throw IngotError(
        .format, "the run gave a cache of \(value.dtype) \(value.shape), expected \(geometry.dtype) \(shape)",
        at: .init(file: file))
    }
    (self.pairs, self.length, count) = (pairs, length, length)
  }

  func layer(_ layer: Int) throws(IngotError) -> (key: HostTensor, value: HostTensor) {
    let pair = pairs[layer]
    return (
      try geometry.rows(pair.key, layer: 0, count: count),
      try geometry.rows(pair.value, layer: 0, count: count)
    )
  }
}

/// A cache of fixed slots, token i in slot i, whose tensors stay where they are. Forks share them until one writes.
final class SlotCache: ONNXCache {
  /// The tensors: what a fork shares.
  final class Storage {
    let pairs: [KVPair]
    /// Views of the first slots, made on demand.
    private var heads: [Int: KVPair] = [:]

    init(_ pairs: [KVPair]) { self.pairs = pairs }

    /// The first `length` slots of a tensor whose length comes first.
    func head(
      _ index: Int, _ geometry: KVGeometry, length: Int, _ runtime: OrtRuntime
    ) throws(IngotError) -> KVPair {
      if let known = heads[index] { return known }
      let shape = try geometry.shape(length: length)
      func view(_ value: OrtValue) throws(IngotError) -> OrtValue {
        let bytes = UnsafeRawBufferPointer(rebasing: value.bytes[0..<shape.count * geometry.dtype.byteCount])
        return try OrtValue(
          runtime, try HostTensor(dtype: geometry.dtype, shape: shape, bytes: bytes, storage: value))
      }
      let made = KVPair(key: try view(pairs[index].key), value: try view(pairs[index].value))
      heads[index] = made
      return made
    }
  }

  var count = 0
  let slots: Int
  /// How the tensors of each port pair lie.
  let geometries: [KVGeometry]
  private var storage: Storage
  private let runtime: OrtRuntime

  /// An empty cache.
  /// - Throws: `.memory`.
  init(_ runtime: OrtRuntime, _ geometries: [KVGeometry], slots: Int) throws(IngotError) {
    (self.runtime, self.geometries, self.slots) = (runtime, geometries, slots)
    storage = Storage(try Self.zeros(runtime, geometries, slots: slots))
  }

  private init(copying other: SlotCache) {
    (runtime, geometries, slots) = (other.runtime, other.geometries, other.slots)
    (storage, count) = (other.storage, other.count)
  }

  func fork() -> any ONNXCache { SlotCache(copying: self) }

  private static func zeros(
    _ runtime: OrtRuntime, _ geometries: [KVGeometry], slots: Int
  ) throws(IngotError) -> [KVPair] {
    var pairs: [KVPair] = []
    for geometry in geometries {
      let shape = try geometry.shape(length: slots)
      pairs.append(
        KVPair(
          key: try OrtValue(runtime, dtype: geometry.dtype, shape: shape),
          value: try OrtValue(runtime, dtype: geometry.dtype, shape: shape)))
    }
    return pairs
  }

  /// The tensors, to read and to write: this cache's own.
  /// - Throws: `.memory`.
  func ownStorage() throws(IngotError) -> Storage {
    guard !isKnownUniquelyReferenced(&storage) else { return storage }
    let pairs = try Self.zeros(runtime, geometries, slots: slots)
    for (index, geometry) in geometries.enumerated() {
      geometry.copyRows(count, from: storage.pairs[index].key, at: 0, to: pairs[index].key, at: 0)
      geometry.copyRows(count, from: storage.pairs[index].value, at: 0, to: pairs[index].value, at: 0)
    }
    storage = Storage(pairs)
    return storage
  }

  /// Stores the rows of `rows` new tokens of a port pair from slot `slot` on.
  func store(_ new: KVPair, _ rows: Int, at slot: Int, pair index: Int) {
    let (geometry, target) = (geometries[index], storage.pairs[index])
    geometry.copyRows(rows, from: new.key, at: 0, to: target.key, at: slot)
    geometry.copyRows(rows, from: new.value, at: 0, to: target.value, at: slot)
  }

  func layer(_ layer: Int) throws(IngotError) -> (key: HostTensor, value: HostTensor) {
    var first = 0
    for (geometry, pair) in zip(geometries, storage.pairs) {
      if layer < first + geometry.layers {
        return (
          try geometry.rows(pair.key, layer: layer - first, count: count),
          try geometry.rows(pair.value, layer: layer - first, count: count)
        )
      }
      first += geometry.layers
    }
    throw IngotError(.argument, "there is no layer \(layer)")
  }
}
