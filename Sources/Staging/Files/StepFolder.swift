package import IngotCore

/// The files of a step.
package struct StepFolder: Sendable, Hashable {
  /// The folder.
  package let path: String

  /// Names a folder, which need not be there.
  package init(_ path: String) { self.path = path }

  /// The folder of a step in a run root, as `step_0000`.
  package init(root: String, step: Int) { path = Files.join(root, Self.name(step)) }

  /// The name of a step's folder.
  package static func name(_ step: Int) -> String {
    let digits = String(step)
    return "step_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// `tokens.npy`: i64 `[1, q_len]`, without padding.
  package var tokens: String { Files.join(path, "tokens.npy") }
  /// What goes into block `index`; after the last, what goes into the output: `[1, S, H]`.
  package func hidden(_ index: Int) -> String { Files.join(path, "hidden_block\(index).npy") }
  /// `[1, 1, S, C + S]`.
  package var mask: String { Files.join(path, "attention_mask.npy") }
  /// i64 `[1, S]`.
  package var positions: String { Files.join(path, "position_ids.npy") }
  /// Lengths.
  package var meta: String { Files.join(path, "meta.json") }
  /// `[q_len, V]`.
  package var logits: String { Files.join(path, "logits.npy") }
  /// The id drawn.
  package var nextTokenID: String { Files.join(path, "next_token_id.txt") }
  /// Its text.
  package var nextToken: String { Files.join(path, "next_token.txt") }
  /// Says that the step is whole; the last file of a step to appear.
  package var record: String { Files.join(path, "step.json") }

  /// Whether a name is that of one of our files.
  package static func isOurs(_ name: String) -> Bool {
    let fixed = [
      "tokens.npy", "attention_mask.npy", "position_ids.npy", "meta.json", "logits.npy", "next_token_id.txt",
      "next_token.txt", "step.json",
    ]
    if fixed.contains(name) { return true }
    return index(of: name, "hidden_block", ".npy") != nil
  }

  /// The number between a prefix and a suffix, written as we write it.
  static func index(of name: String, _ prefix: String, _ suffix: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix),
      name.utf8.count > prefix.utf8.count + suffix.utf8.count
    else { return nil }
    let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
    guard digits.utf8.count <= 9, let index = Int(digits), String(index) == digits else { return nil }
    return index
  }

  /// The hidden states with the highest number, where the number of blocks is not known.
  /// - Throws: `.io` when there are none.
  package func lastHidden() throws(IngotError) -> Int {
    let indices = try Files.names(in: path).compactMap { Self.index(of: $0, "hidden_block", ".npy") }
    guard let last = indices.max() else {
      throw IngotError(
        .io, "no hidden_block*.npy in the folder", at: .init(file: path), hint: "run the blocks first")
    }
    return last
  }
}

extension StepFolder {
  /// Removes what was computed from earlier contents of files that are about to be written, so that nobody takes
  /// it for a result of theirs.
  /// - Throws: `.io`.
  package func removeResults(ofBlocksFrom index: Int) throws(IngotError) {
    for name in try Files.names(in: path) {
      if let hidden = Self.index(of: name, "hidden_block", ".npy"), hidden > index {
        try Files.remove(Files.join(path, name))
      }
    }
    for file in [record, nextToken, nextTokenID, logits] { try Files.remove(file) }
  }

  /// Reads a tensor of the step into memory of its own.
  /// - Throws: `.io`; `.format` for a broken file; `.shape` for another type or shape.
  package static func read(_ path: String, _ dtype: DType, _ shape: Shape) throws(IngotError) -> HostTensor {
    let tensor: HostTensor
    do { tensor = try NPY.read(path: path) } catch {
      guard error.kind == .io, error.hint == nil else { throw error }
      var error = error
      error.hint = "the stage before this one writes it"
      throw error
    }
    guard tensor.dtype == dtype else {
      throw IngotError(
        .shape, "the file holds \(tensor.dtype) where the model takes \(dtype)", at: .init(file: path))
    }
    guard tensor.shape == shape else {
      throw IngotError(
        .shape, "the file has shape \(tensor.shape) where the model takes \(shape)", at: .init(file: path))
    }
    // The file may have any alignment, and may change while we compute.
    let buffer = try AlignedBuffer(byteCount: tensor.bytes.count)
    withExtendedLifetime(tensor) { buffer.bytes.copyMemory(from: tensor.bytes) }
    return try HostTensor(
      dtype: dtype, shape: shape, bytes: UnsafeRawBufferPointer(buffer.bytes), storage: buffer)
  }

  /// Checks that a step's positions are those of its `meta.json`.
  /// - Throws: `.format` naming both.
  package func check(_ positions: HostTensor, _ meta: StepMeta) throws(IngotError) {
    let found: [Int64] = positions.array()
    for row in 0..<meta.queryLength where found[row] != Int64(meta.pastLength + row) {
      throw IngotError(
        .format,
        "position \(found[row]) in row \(row) where past_len \(meta.pastLength) in \(self.meta) makes \(meta.pastLength + row)",
        at: .init(file: self.positions))
    }
  }
}
