internal import Checkpoints
internal import Generation
internal import IngotCore

/// One case: both back ends go through it piece by piece, side by side, so that only one piece is in memory.
struct CaseRun {
  private(set) var result: VerificationReport.Case
  private(set) var layers: [VerificationReport.Layer] = []
  private(set) var notes: [String] = []

  private let plan: Verification.Case
  private let reference: Side
  private let candidate: Side
  /// Hidden states that both show.
  private let names: [String]
  private let memoryBudget: Int
  private var hidden: [String: [TensorDifference]] = [:]

  init(_ verification: Verification, _ plan: Verification.Case) throws(IngotError) {
    self.plan = plan
    let length = plan.tokens.count + plan.steps
    reference = try Side(verification.reference, plannedLength: length)
    candidate = try Side(verification.candidate, plannedLength: length)
    result = .init(name: plan.name, tokenCount: plan.tokens.count)
    memoryBudget = verification.options.memoryBudget
    let details = plan.isDetailed && verification.options.comparesLayers
    let shown = Set(candidate.observable?.observations ?? [])
    names = details ? (reference.observable?.observations ?? []).filter(shown.contains) : []
    if details, names.isEmpty { notes.append("hidden states are not compared: no back end pair shows them") }
    comparesCache = details
  }

  private let comparesCache: Bool

  /// - Parameter onTokens: called with the number of tokens just done.
  mutating func run(_ onTokens: (Int) -> Void) throws(IngotError) {
    var start = 0
    var last: [Float] = []
    for count in pieces {
      let tokens = Array(plan.tokens[start..<start + count])
      last = try advance(tokens, rows: rows(of: count), step: 0)
      start += count
      onTokens(count)
    }
    for step in 0..<plan.steps {
      let token = last.withUnsafeBufferPointer(LogitsDifference.likeliest)
      result.steps.append(LogitsDifference())
      last = try advance([token], rows: .last, step: step + 1)
      onTokens(1)
    }
    for name in names {
      layers.append(
        .init(
          caseName: plan.name, value: .hiddenStates, index: Int(name.split(separator: ".").last ?? "") ?? 0,
          steps: hidden[name] ?? []))
    }
    if comparesCache { try compareCaches() }
  }

  /// The pieces, cut further where hidden states would take too much memory.
  private var pieces: [Int] {
    guard !names.isEmpty else { return plan.pieces }
    let bytes = names.count * reference.model.config.hiddenSize * MemoryLayout<Float>.stride
    let most = max(1, memoryBudget / max(bytes, 1))
    return plan.pieces.flatMap { piece in
      stride(from: 0, to: piece, by: most).map { min(most, piece - $0) }
    }
  }

  private func rows(of count: Int) -> ModelInput.LogitRows {
    count * reference.model.config.vocabSize * MemoryLayout<Float>.stride <= memoryBudget ? .all : .last
  }

  /// Feeds tokens to both and compares what they show.
  /// - Parameter step: 0 for the prefill.
  /// - Returns: the reference's last row of logits.
  private mutating func advance(
    _ tokens: [Int], rows: ModelInput.LogitRows, step: Int
  ) throws(IngotError) -> [Float] {
    var expected: [[Float]] = []
    var states: [String: [Float]] = [:]
    try reference.forward(
      tokens, rows, names, onTensor: { name, _, values in states[name, default: []] += values },
      onLogits: { _, row in expected.append(Array(row)) })
    var seen = 0
    var logits = LogitsDifference()
    var differences: [String: TensorDifference] = [:]
    var problem: IngotError?
    try candidate.forward(
      tokens, rows, names,
      onTensor: { name, position, values in
        guard let all = states[name] else { return }
        // As wide as the reference's, or there is nothing to compare.
        let width = all.count / max(tokens.count, 1)
        let range = position * width..<position * width + values.count
        guard range.upperBound <= all.count, values.count % max(width, 1) == 0 else {
          problem =
            problem
            ?? IngotError(.shape, "\(name) of \(values.count) elements where \(all.count) were expected")
          return
        }
        all[range].withUnsafeBufferPointer { a in
          values.withUnsafeBufferPointer { differences[name, default: .init()].add(a, $0) }
        }
      },
      onLogits: { index, row in
        guard index < expected.count, expected[index].count == row.count else {
          problem = problem ?? IngotError(.shape, "row \(index) of logits has \(row.count) elements")
          return
        }
        expected[index].withUnsafeBufferPointer { logits.add($0, row) }
        seen += 1
      })
    if let problem { throw problem }
    guard seen == expected.count else {
      throw IngotError(
        .shape, "\(expected.count) and \(seen) rows of logits for the same \(tokens.count) tokens")
    }
    if step == 0 { result.prefill.formUnion(logits) } else { result.steps[step - 1].formUnion(logits) }
    for (name, difference) in differences {
      while hidden[name, default: []].count <= step { hidden[name, default: []].append(.init()) }
      hidden[name]?[step].formUnion(difference)
    }
    return expected.last ?? []
  }

  // MARK: Keys and values

  private mutating func compareCaches() throws(IngotError) {
    guard let a = reference.observable, let b = candidate.observable else { return }
    for layer in 0..<min(a.config.layerCount, b.config.layerCount) {
      let pairs: [(VerificationReport.LayerValue, HostTensor, HostTensor)]
      do throws(IngotError) {
        let first = try a.cache(of: reference.sequence, layer: layer)
        let second = try b.cache(of: candidate.sequence, layer: layer)
        pairs = [(.keys, first.key, second.key), (.values, first.value, second.value)]
      } catch {
        guard error.kind == .unsupported else { throw error }
        notes.append("keys and values are not compared: \(error.what)")
        return
      }
      for (value, first, second) in pairs {
        guard first.shape == second.shape, first.shape.rank == 3 else {
          throw IngotError(
            .shape,
            "\(value.rawValue).\(layer) has shapes \(first.shape) and \(second.shape): these are different models"
          )
        }
        layers.append(
          .init(caseName: plan.name, value: value, index: layer, steps: differences(first, second)))
      }
    }
  }

  /// Per step: rows of the prefill, then one row each. [kvHeads, count, headDim].
  private func differences(_ a: HostTensor, _ b: HostTensor) -> [TensorDifference] {
    var steps = [TensorDifference](repeating: .init(), count: plan.steps + 1)
    let width = a.shape[2]
    for head in 0..<a.shape[0] {
      for position in 0..<a.shape[1] {
        let start = (head * a.shape[1] + position) * width
        let step = max(0, position - plan.tokens.count + 1)
        guard step < steps.count else { continue }
        for (x, y) in zip(a.doubles(start..<start + width), b.doubles(start..<start + width)) {
          steps[step].add(x, y)
        }
      }
    }
    return steps
  }
}

/// A back end and its sequence.
private struct Side {
  let model: any LanguageModel
  let observable: (any ObservableModel)?
  let sequence: any ModelSequence

  init(_ model: any LanguageModel, plannedLength: Int) throws(IngotError) {
    self.model = model
    observable = model as? any ObservableModel
    sequence = try model.makeSequence(plannedLength: plannedLength)
  }

  /// - Parameters:
  ///   - onTensor: called with a name, the position of the first row within the tokens, and rows.
  ///   - onLogits: called with the index of the row among those wanted, and the row.
  func forward(
    _ tokens: [Int], _ rows: ModelInput.LogitRows, _ names: [String],
    onTensor: (String, Int, [Float]) -> Void, onLogits: (Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    let input = ModelInput(sequence, tokens, logits: rows)
    var row = 0
    func take(_ logits: UnsafeBufferPointer<Float>) {
      onLogits(row, logits)
      row += 1
    }
    if let observable, !names.isEmpty {
      try observable.forward(
        [input], observing: Set(names),
        onTensor: { _, position, name, tensor in onTensor(name, position, tensor.array(of: Float.self)) },
        onLogits: { _, _, logits in take(logits) })
    } else {
      try model.forward([input]) { _, _, logits in take(logits) }
    }
  }
}
