import CKernels
package import IngotCore

/// Keys and values of a block, rounded to f16, in memory and, with a folder, in files.
///
/// Memory and files hold the same f16 numbers; a part that takes f32 gets them widened. A step is done in three
/// moves, so that a crash at any point leaves the rows before it intact and the record true:
/// 1. the record says that rows from the step's first on are dead (it does so already unless a step is done over);
/// 2. the new rows are written in place and flushed;
/// 3. `seal` lets the record say that they are whole.
package final class BlockCache {
  private let form: BlockForm
  private let weights: PartPrint
  private let paths: Paths?
  private var files: (key: CacheFile, value: CacheFile)?
  private var record: CacheRecord
  /// Whether the files came without a record, so that any number of rows may be whole.
  private var isUnrecorded = false
  /// What `seal` will record.
  private var pending: CacheRecord.Mark?
  /// In the part's element type.
  private let key, value: AlignedBuffer

  private struct Paths {
    let key, value, record: String

    init(_ folder: String, _ block: Int) {
      key = Files.join(folder, "past_key_block\(block).npy")
      value = Files.join(folder, "past_value_block\(block).npy")
      record = Files.join(folder, "kv_block\(block).json")
    }
  }

  /// Whether a name is that of a cache file or its record.
  package static func isOurs(_ name: String) -> Bool {
    StepFolder.index(of: name, "past_key_block", ".npy") != nil
      || StepFolder.index(of: name, "past_value_block", ".npy") != nil
      || StepFolder.index(of: name, "kv_block", ".json") != nil
  }

  /// An empty cache, or one that is in a folder; writes nothing yet.
  /// - Parameter folder: nil for memory alone.
  /// - Throws: `.io`, `.format`; `.shape` and `.argument` for a cache of another model.
  package init(
    block: Int, form: BlockForm, weights: PartPrint, folder: String?
  ) throws(IngotError) {
    (self.form, self.weights) = (form, weights)
    paths = folder.map { Paths($0, block) }
    record = CacheRecord(mark: CacheRecord.start, shape: form.cacheShape, weights: weights)
    let elementBytes = form.cacheType.byteCount
    key = try AlignedBuffer(byteCount: form.cacheShape.count * elementBytes)
    value = try AlignedBuffer(byteCount: form.cacheShape.count * elementBytes)
    if let paths { try open(paths) }
  }

  private func open(_ paths: Paths) throws(IngotError) {
    let found = try CacheRecord(path: paths.record)
    if let found {
      guard found.shape == form.cacheShape else {
        throw IngotError(
          .shape, "the cache has shape \(found.shape) where the model takes \(form.cacheShape)",
          at: .init(file: paths.record, key: "shape"),
          hint: "the cache is another model's; use another --kv-dir")
      }
      guard found.weights.hasWeights(of: weights) else {
        throw IngotError(
          .argument, "the cache was filled by a model with other weights",
          at: .init(file: paths.record, key: "weights"), hint: "use another --kv-dir, or remove the cache")
      }
    }
    let isThere = (Files.exists(paths.key), Files.exists(paths.value))
    guard isThere.0 && isThere.1 else {
      // One file may be there when a run ended while it made them; of use are both, or a record's promise.
      guard let found, found.mark.rows > 0 else { return }
      throw IngotError(
        .io, "the file is missing, and \(paths.record) promises \(found.mark.rows) rows",
        at: .init(file: isThere.0 ? paths.value : paths.key), hint: "begin anew with another --kv-dir")
    }
    files = (try load(paths.key, into: key), try load(paths.value, into: value))
    if let found {
      record.mark = found.mark
      record.previous = found.previous
    } else {
      isUnrecorded = true
    }
  }

  private func load(_ path: String, into buffer: AlignedBuffer) throws(IngotError) -> CacheFile {
    let count = form.cacheShape.count
    switch form.cacheType {
    case .f16:
      let target = UnsafeMutableBufferPointer(
        start: buffer.base.assumingMemoryBound(to: UInt16.self), count: count)
      return try CacheFile(path: path, shape: form.cacheShape, into: target)
    default:
      let halves = try AlignedBuffer(byteCount: count * 2)
      let source = halves.base.assumingMemoryBound(to: UInt16.self)
      let file = try CacheFile(
        path: path, shape: form.cacheShape, into: UnsafeMutableBufferPointer(start: source, count: count))
      ingot_f16_to_f32(source, buffer.base.assumingMemoryBound(to: Float.self), count)
      return file
    }
  }

  /// Keys as the part takes them.
  package func keys() throws(IngotError) -> HostTensor { try view(key) }
  /// Values as the part takes them.
  package func values() throws(IngotError) -> HostTensor { try view(value) }

  private func view(_ buffer: AlignedBuffer) throws(IngotError) -> HostTensor {
    try HostTensor(
      dtype: form.cacheType, shape: form.cacheShape, bytes: UnsafeRawBufferPointer(buffer.bytes),
      storage: buffer)
  }

  /// What the first `rows` rows were computed from; nil where it is not known.
  package func content(at rows: Int) -> UInt64? { isUnrecorded ? nil : record.mark(at: rows).content }

  /// Checks that a step may begin: all rows before it are there.
  /// - Throws: `.argument` with the numbers.
  package func require(rows: Int) throws(IngotError) {
    guard isUnrecorded || rows <= record.mark.rows else {
      throw IngotError(
        .argument, "the step begins after \(rows) tokens (past_len), but the cache holds \(record.mark.rows)",
        at: .init(file: paths.map { files == nil ? $0.key : $0.record }, key: "rows"),
        hint: "run the steps in order, with the same --kv-dir")
    }
  }

  /// Whether nothing is in it but, maybe, the first step of `rows` rows.
  package func isNew(orHas rows: Int) -> Bool { !isUnrecorded && [0, rows].contains(record.mark.rows) }

  /// Takes the rows of a step; what is before them stays as it is.
  /// - Parameters:
  ///   - newKeys: `[layers, 1, kv, S, hd]` in the part's element type; so are the values.
  ///   - hidden: what the block got, by which the rows will be known.
  /// - Throws: `.limit` for numbers that f16 does not hold; `.io`.
  package func append(
    _ newKeys: HostTensor, _ newValues: HostTensor, _ meta: StepMeta, hidden: HostTensor
  ) throws(IngotError) {
    let (first, count) = (meta.pastLength, meta.queryLength)
    let halves = (
      try halves(newKeys, count, name: "present_key"), try halves(newValues, count, name: "present_value")
    )
    try begin(at: first)
    if let files {
      try files.key.write(halves.0, at: first, count: count)
      try files.value.write(halves.1, at: first, count: count)
      try files.key.flush()
      try files.value.flush()
    }
    store(halves.0, in: key, at: first, count: count)
    store(halves.1, in: value, at: first, count: count)
    pending = CacheRecord.Mark(
      rows: first + count, content: Self.chain(record.mark.content, meta, hidden))
  }

  /// Declares the rows of the last `append` whole.
  /// - Throws: `.io`.
  package func seal() throws(IngotError) {
    guard let mark = pending else { return }
    pending = nil
    record.previous = record.mark
    record.mark = mark
    if let paths { try record.write(paths.record) }
  }

  /// Makes the files where there are none, and declares rows from `rows` on dead.
  private func begin(at rows: Int) throws(IngotError) {
    let mark = isUnrecorded ? (rows == 0 ? CacheRecord.start : .init(rows: rows)) : record.mark(at: rows)
    let isNew = isUnrecorded || mark != record.mark
    (isUnrecorded, record.mark) = (false, mark)
    if isNew { record.previous = nil }
    guard let paths else { return }
    if files == nil {
      try CacheFile.create(path: paths.key, shape: form.cacheShape)
      try CacheFile.create(path: paths.value, shape: form.cacheShape)
      files = (
        try CacheFile(path: paths.key, shape: form.cacheShape, into: nil),
        try CacheFile(path: paths.value, shape: form.cacheShape, into: nil)
      )
      try record.write(paths.record)
    } else if isNew {
      try record.write(paths.record)
    }
  }

  private static func chain(_ content: UInt64?, _ meta: StepMeta, _ hidden: HostTensor) -> UInt64? {
    guard let content else { return nil }
    let rowBytes = hidden.shape[2] * hidden.dtype.byteCount
    let seed = Digest.of([content, UInt64(meta.pastLength), UInt64(meta.queryLength)])
    return withExtendedLifetime(hidden) {
      Digest.of(UnsafeRawBufferPointer(rebasing: hidden.bytes[..<(meta.queryLength * rowBytes)]), seed: seed)
    }
  }
}

extension BlockCache {
  /// The first `count` rows of every layer and head as f16.
  /// - Returns: `[layers, kv, count, hd]`.
  private func halves(_ tensor: HostTensor, _ count: Int, name: String) throws(IngotError) -> [UInt16] {
    let pieces = form.layerCount * form.headCount
    // Prefill and decode parts take different numbers of tokens.
    let (stride, length) = (tensor.shape[3] * form.headSize, count * form.headSize)
    var halves = [UInt16](repeating: 0, count: pieces * length)
    withExtendedLifetime(tensor) {
      halves.withUnsafeMutableBufferPointer { target in
        guard let target = target.baseAddress, let source = tensor.bytes.baseAddress else { return }
        for piece in 0..<pieces {
          let (from, to) = (piece * stride, target + piece * length)
          if tensor.dtype == .f16 {
            to.update(from: source.assumingMemoryBound(to: UInt16.self) + from, count: length)
          } else {
            ingot_f32_to_f16(source.assumingMemoryBound(to: Float.self) + from, to, length)
          }
        }
      }
    }
    if let bad = halves.firstIndex(where: { $0 & 0x7C00 == 0x7C00 }) {
      let (layer, row) = (bad / length / form.headCount, bad % length / form.headSize)
      throw IngotError(
        .limit, "layer \(layer) of the block, row \(row) is beyond what f16 holds", at: .init(tensor: name),
        hint: "the cache is f16; the hidden states may hold no numbers")
    }
    return halves
  }

  private func store(_ halves: [UInt16], in buffer: AlignedBuffer, at first: Int, count: Int) {
    let length = count * form.headSize
    halves.withUnsafeBufferPointer { source in
      guard let source = source.baseAddress else { return }
      for piece in 0..<form.layerCount * form.headCount {
        let to = (piece * form.cacheLength + first) * form.headSize
        if form.cacheType == .f16 {
          (buffer.base.assumingMemoryBound(to: UInt16.self) + to)
            .update(from: source + piece * length, count: length)
        } else {
          ingot_f16_to_f32(
            source + piece * length, buffer.base.assumingMemoryBound(to: Float.self) + to, length)
        }
      }
    }
  }
}
