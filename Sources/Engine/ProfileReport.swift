/// What the steps of an engine took, summed up.
public struct ProfileReport: Sendable {
  /// Two kinds of forward, which are bounded by different things.
  public enum Phase: String, Sendable, CaseIterable {
    /// Some sequence got several tokens.
    case prompt
    /// Every sequence got one.
    case decode
  }

  /// What a step is.
  public struct Label: Sendable, Hashable {
    /// The kind, as `matmul`.
    public var op: String
    /// Its weights, without the layer; empty where it has none.
    public var name: String
    /// Extents that never change, as `1536x576`.
    public var shape: String
    /// How weights or the cache are stored, as `i4m/32`.
    public var format: String
    /// The layer it belongs to.
    public var layer: Int?

    /// Kind and weights in words, without the layer.
    public var title: String { name.isEmpty ? op : "\(op) \(name)" }
  }

  /// Calls, time and work.
  public struct Total: Sendable, Equatable {
    /// How often it ran.
    public var calls = 0
    /// Seconds in all.
    public var seconds = 0.0
    /// Bytes and operations in all.
    public var work = StepWork()

    static func += (a: inout Total, b: Total) {
      a.calls += b.calls
      a.seconds += b.seconds
      a.work += b.work
    }
  }

  /// Forwards of a phase.
  public struct ForwardTotal: Sendable, Equatable {
    /// How many.
    public var count = 0
    /// Tokens in all.
    public var tokens = 0
    /// Seconds in all.
    public var seconds = 0.0

    mutating func add(tokens: Int, seconds: Double) {
      count += 1
      self.tokens += tokens
      self.seconds += seconds
    }
  }

  /// Forwards, per phase that occurred.
  public private(set) var forwards: [Phase: ForwardTotal]
  /// Every step of the plan in order, per phase.
  public private(set) var steps: [Phase: [(label: Label, total: Total)]]

  init(_ state: Profiler.State) {
    forwards = state.forwardTotals
    steps = state.totals.mapValues { Array(zip(state.labels, $0)).map { (label: $0, total: $1) } }
  }

  /// Steps of one kind together, the longest first.
  public func byKind(_ phase: Phase) -> [(label: Label, total: Total)] {
    grouped(phase) { Label(op: $0.op, name: "", shape: "", format: "", layer: nil) }
  }

  /// The same step of all layers together, the longest first.
  public func byLabel(_ phase: Phase) -> [(label: Label, total: Total)] {
    grouped(phase) { label in
      var label = label
      label.layer = nil
      return label
    }
  }

  private func grouped(_ phase: Phase, _ key: (Label) -> Label) -> [(label: Label, total: Total)] {
    var sums: [Label: Total] = [:]
    var order: [Label] = []
    for (label, total) in steps[phase] ?? [] {
      let key = key(label)
      if sums[key] == nil { order.append(key) }
      sums[key, default: Total()] += total
    }
    return order.map { (label: $0, total: sums[$0] ?? Total()) }
      .sorted { $0.total.seconds > $1.total.seconds }
  }
}
