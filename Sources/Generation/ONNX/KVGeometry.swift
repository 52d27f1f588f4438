internal import IngotCore
internal import ONNXRuntime

/// How the keys, or the values, of a port lie in memory: `[layers,] 1, heads, length, headDim` or, with the length
/// before the heads, `[layers,] 1, length, heads, headDim`.
struct KVGeometry: Hashable {
  let dtype: DType
  /// Layers in one tensor; nil for a tensor of one layer without that axis.
  let stackedLayers: Int?
  let heads: Int
  let headDim: Int
  /// Whether the length comes before the heads, so that new rows follow the old ones.
  let isLengthFirst: Bool
  /// The length, where it is fixed.
  let length: Int?

  /// Reads it off a port.
  /// - Parameters:
  ///   - heads: key-value heads of the model, for ports that leave them open.
  ///   - headDim: likewise.
  ///   - slots: the fixed length of the port, where something else tells it.
  /// - Throws: `.unsupported` for another rank, batch or element type.
  init(
    _ port: TensorPort, heads: Int?, headDim: Int?, slots: Int? = nil, file: String
  ) throws(IngotError) {
    func fail(_ what: String) -> IngotError {
      IngotError(
        .unsupported, "\(what): \(port)", at: .init(file: file, tensor: port.name),
        hint: "caches are [batch, heads, length, head dim] or [batch, length, heads, head dim]")
    }
    var dims = port.dims
    guard dims.count == 4 || dims.count == 5 else {
      throw fail("a cache of \(dims.count) axes cannot be driven")
    }
    if dims.count == 5 {
      guard let layers = dims.removeFirst(), layers > 0 else {
        throw fail("the cache does not say its layers")
      }
      stackedLayers = layers
    } else {
      stackedLayers = nil
    }
    guard dims[0] == nil || dims[0] == 1 else { throw fail("only batches of one are driven") }
    switch port.dtype {
    case .f32, .f16, .bf16: dtype = port.dtype
    case .f64, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool:
      throw fail("a cache of \(port.dtype) cannot be driven")
    }
    // The axis that each run chooses is the length; where both are fixed, the one of that many slots.
    switch (dims[1], dims[2]) {
    case (nil, .some): isLengthFirst = true
    case (.some, nil): isLengthFirst = false
    case (nil, nil): isLengthFirst = false
    case (.some(let first), .some(let second)):
      if first == second || slots == nil || (first == slots) == (second == slots) {
        isLengthFirst = first != heads && second == heads
      } else {
        isLengthFirst = first == slots
      }
    }
    guard let count = dims[isLengthFirst ? 2 : 1] ?? heads, count > 0, let width = dims[3] ?? headDim,
      width > 0
    else { throw fail("the cache does not say its heads") }
    (self.heads, self.headDim, length) = (count, width, dims[isLengthFirst ? 1 : 2])
    _ = try Shape(checking: shapeDims(length ?? 1))
  }

  private func shapeDims(_ length: Int) -> [Int] {
    (stackedLayers.map { [$0] } ?? []) + [1] + (isLengthFirst ? [length, heads] : [heads, length]) + [headDim]
  }

  /// Layers of a tensor.
  var layers: Int { stackedLayers ?? 1 }

  /// Its shape with so many tokens.
  /// - Throws: `.shape` when that cannot be.
  func shape(length: Int) throws(IngotError) -> Shape { try Shape(checking: shapeDims(length)) }

  /// Copies the rows of `count` tokens from one tensor to another, whose lengths may differ.
  func copyRows(
    _ count: Int, from source: OrtValue, at first: Int, to target: OrtValue, at start: Int
  ) {
    let pieces = isLengthFirst ? layers : layers * heads
    let rowBytes = (isLengthFirst ? heads : 1) * headDim * dtype.byteCount
    let sourceBytes = source.bytes.count / pieces
    let targetBytes = target.bytes.count / pieces
    precondition(count >= 0 && (first + count) * rowBytes <= sourceBytes)
    precondition((start + count) * rowBytes <= targetBytes)
    guard count > 0, let from = source.bytes.baseAddress, let to = target.bytes.baseAddress else { return }
    for piece in 0..<pieces {
      (to + piece * targetBytes + start * rowBytes).copyMemory(
        from: from + piece * sourceBytes + first * rowBytes, byteCount: count * rowBytes)
    }
  }

  /// The first `count` tokens of a layer of a tensor, f32 [heads, count, headDim].
  func rows(_ value: OrtValue, layer: Int, count: Int) throws(IngotError) -> HostTensor {
    let floats = try floats(value.bytes, dtype)
    let length = value.bytes.count / (layers * heads * headDim * dtype.byteCount)
    var rows: [Float] = []
    rows.reserveCapacity(heads * count * headDim)
    for head in 0..<heads {
      for token in 0..<count {
        let row = isLengthFirst ? token * heads + head : head * length + token
        let start = (layer * heads * length + row) * headDim
        rows.append(contentsOf: floats[start..<start + headDim])
      }
    }
    return try HostTensor(rows, shape: [heads, count, headDim])
  }
}
