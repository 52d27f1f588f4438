internal import Checkpoints
public import Generation
public import IngotCore

/// Writes what a model computes for a prompt, or for what continues one, as a `.npz` file, which `numpy.load` reads:
/// `input_ids` and `position_ids` i64 [T], `logits` f32 [T, V], `hidden_states.i` f32 [T, H] (0 goes into the first
/// layer, L comes out of the last, before the final norm), `present_key.i` and `present_value.i` f32
/// [kvHeads, T, headDim]: the rows of the T tokens alone.
public struct TensorDump {
  /// The model.
  public let model: any LanguageModel
  /// The tokens whose rows are written.
  public let ids: [Int]
  /// The tokens before them, whose keys and values are in the cache.
  public let history: [Int]
  /// What rotary tables that depend on the length are chosen by; nil for all tokens.
  public var plannedLength: Int?
  /// Bytes of hidden states held at once: beyond, the prompt is computed several times.
  public var memoryBudget = 1 << 30

  /// Pairs a model with a prompt, or with tokens that follow others.
  public init(_ model: any LanguageModel, ids: [Int], after history: [Int] = []) {
    (self.model, self.ids, self.history) = (model, ids, history)
  }

  /// Computes and writes; the file appears whole or not at all.
  /// - Parameter onProgress: called with the passes and layers done and to do.
  /// - Returns: sentences on what the back end cannot show.
  /// - Throws: `.argument` for ids outside the vocabulary or none, `.limit` beyond the context, `.io`.
  public func write(
    to path: String, onProgress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(IngotError) -> [String] {
    guard !ids.isEmpty else { throw IngotError(.argument, "the prompt has no tokens") }
    var notes: [String] = []
    let observable = model as? any ObservableModel
    let names = observable?.observations ?? []
    let wanted = (0...model.config.layerCount).map { "hidden_states.\($0)" }
    let missing = wanted.filter { !names.contains($0) }
    if !missing.isEmpty {
      notes.append(
        missing.count == wanted.count
          ? "the back end shows no hidden states"
          : "the back end does not show \(missing.joined(separator: ", "))")
    }
    var writer = try NPZWriter(path: path)
    try writer.append(try HostTensor(ids.map(Int64.init), shape: [ids.count]), named: "input_ids")
    let positions = (history.count..<history.count + ids.count).map(Int64.init)
    try writer.append(try HostTensor(positions, shape: [ids.count]), named: "position_ids")
    let groups = groups(names)
    let total = groups.count + (observable == nil ? 0 : model.config.layerCount)
    let sequence = try model.makeSequence(plannedLength: plannedLength ?? history.count + ids.count)
    if !history.isEmpty { try model.forward([ModelInput(sequence, history, logits: .none)]) { _, _, _ in } }
    for (index, group) in groups.enumerated() {
      // The cache of the last pass is the same as that of any other.
      sequence.truncate(to: history.count)
      try run(sequence, group, writesLogits: index == 0, &writer)
      onProgress(index + 1, total)
    }
    guard let observable else {
      notes.append("the back end does not show its cache")
      try writer.commit()
      return notes
    }
    for layer in 0..<model.config.layerCount {
      let pair: (key: HostTensor, value: HostTensor)
      do throws(IngotError) { pair = try observable.cache(of: sequence, layer: layer) } catch {
        guard error.kind == .unsupported else { throw error }
        notes.append("the cache is left out: \(error.what)")
        break
      }
      try writer.append(newRows(pair.key), named: "present_key.\(layer)")
      try writer.append(newRows(pair.value), named: "present_value.\(layer)")
      onProgress(groups.count + layer + 1, total)
    }
    try writer.commit()
    return notes
  }

  /// The likeliest token after some others, the first of equals: what a greedy reply begins with.
  /// - Throws: as `write`.
  public static func likeliest(_ model: any LanguageModel, after ids: [Int], plannedLength: Int? = nil)
    throws(IngotError) -> Int
  {
    guard !ids.isEmpty else { throw IngotError(.argument, "the prompt has no tokens") }
    let sequence = try model.makeSequence(plannedLength: plannedLength ?? ids.count + 1)
    var best = 0
    try model.forward([ModelInput(sequence, ids, logits: .last)]) { _, _, row in
      for index in row.indices where row[index] > row[best] { best = index }
    }
    return best
  }

  /// Of keys or values [kvHeads, history + T, headDim], those of the new tokens.
  private func newRows(_ all: HostTensor) throws(IngotError) -> HostTensor {
    guard !history.isEmpty else { return all }
    let (heads, count, width) = (all.shape[0], all.shape[1], all.shape[2])
    let values = all.array(of: Float.self)
    var rows: [Float] = []
    for head in 0..<heads {
      let first = (head * count + history.count) * width
      rows += values[first..<(head + 1) * count * width]
    }
    return try HostTensor(rows, shape: [heads, count - history.count, width])
  }

  /// Hidden states that are held at once; one empty group when there are none.
  private func groups(_ names: [String]) -> [[String]] {
    let bytes = ids.count * model.config.hiddenSize * MemoryLayout<Float>.stride
    let most = max(1, memoryBudget / max(bytes, 1))
    guard !names.isEmpty else { return [[]] }
    return stride(from: 0, to: names.count, by: most).map { Array(names[$0..<min($0 + most, names.count)]) }
  }

  /// One pass over the prompt.
  private func run(
    _ sequence: any ModelSequence, _ names: [String], writesLogits: Bool, _ writer: inout NPZWriter
  ) throws(IngotError) {
    var states: [String: [Float]] = [:]
    var failure: IngotError?
    if writesLogits {
      let shape = try Shape(checking: [ids.count, model.config.vocabSize])
      try writer.begin("logits", dtype: .f32, shape: shape)
    }
    let input = ModelInput(sequence, ids, logits: writesLogits ? .all : .none)
    func take(_ logits: UnsafeBufferPointer<Float>, _ writer: inout NPZWriter) {
      guard failure == nil else { return }
      do throws(IngotError) { try writer.append(UnsafeRawBufferPointer(logits)) } catch { failure = error }
    }
    if let observable = model as? any ObservableModel, !names.isEmpty {
      try observable.forward(
        [input], observing: Set(names),
        onTensor: { _, _, name, tensor in states[name, default: []] += tensor.array(of: Float.self) },
        onLogits: { _, _, row in take(row, &writer) })
    } else {
      try model.forward([input]) { _, _, row in take(row, &writer) }
    }
    if let failure { throw failure }
    if writesLogits { try writer.end() }
    for name in names {
      guard let values = states[name] else { continue }
      try writer.append(try HostTensor(values, shape: [ids.count, values.count / ids.count]), named: name)
    }
  }
}
