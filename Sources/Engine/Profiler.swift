internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Takes the time of every step of an engine's forwards.
///
/// An engine without one pays for a look per forward; with one, for a look at the clock per step.
public final class Profiler: Sendable {
  /// Steps recorded for a trace; what comes after is counted, not kept.
  public static let mostEvents = 2_000_000

  /// A forward, or a step of one.
  struct Event {
    /// Index into the plan's steps; negative for a forward: −1 − its index.
    var step: Int
    /// Nanoseconds of the clock.
    var start: UInt64
    var end: UInt64
  }

  /// Tokens and sequences of a forward.
  struct Forward {
    var tokens: Int
    var sequences: Int
    var phase: ProfileReport.Phase
  }

  struct State {
    var labels: [ProfileReport.Label] = []
    /// Per phase and step.
    var totals: [ProfileReport.Phase: [ProfileReport.Total]] = [:]
    var forwards: [Forward] = []
    var forwardTotals: [ProfileReport.Phase: ProfileReport.ForwardTotal] = [:]
    var events: [Event] = []
    var dropped = 0
    var stamps: [UInt64] = []
  }

  /// Whether single steps are kept for a trace.
  public let keepsEvents: Bool
  private let state = Locked(State())

  /// Makes a profiler, to be handed to an engine.
  public init(keepsEvents: Bool = false) { self.keepsEvents = keepsEvents }

  /// Forgets all.
  public func reset() { state.withLock { $0 = State() } }

  /// What was found so far.
  public var report: ProfileReport { state.withLock { ProfileReport($0) } }

  /// The single steps as a trace in Chrome's Trace Event Format, for chrome://tracing and Perfetto: forwards, and
  /// within them their steps.
  public var trace: String { Profiler.trace(of: [("engine", self)]) }

  /// Several profiles in one trace, each as a thread of a name.
  public static func trace(of profilers: [(thread: String, profiler: Profiler)]) -> String {
    ProfileTrace(profilers.map { ($0.thread, $0.profiler.state.withLock { $0 }) }).text
  }

  /// Runs a plan's steps, taking their times.
  func run(_ plan: Plan, _ sizes: Sizes, _ lengths: ForwardLengths, step run: (Step) -> Void) {
    state.withLock { state in
      state.stamps.removeAll(keepingCapacity: true)
      state.stamps.reserveCapacity(plan.steps.count + 1)
      state.stamps.append(clock())
      for step in plan.steps {
        run(step)
        state.stamps.append(clock())
      }
      // Beyond this nothing counts.
      state.add(plan, sizes, lengths, keepsEvents: keepsEvents)
    }
  }
}

/// Nanoseconds of a clock that only goes forward.
private func clock() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension Profiler.State {
  fileprivate mutating func add(
    _ plan: Plan, _ sizes: Sizes, _ lengths: ForwardLengths, keepsEvents: Bool
  ) {
    if labels.count != plan.steps.count {
      // The first forward, or another engine's plan; to tell two of one length apart would take longer than a step.
      (labels, totals) = (plan.labels, [:])
    }
    let tokens = lengths.sequences.reduce(0) { $0 + $1.new }
    let isDecode = !lengths.sequences.isEmpty && lengths.sequences.allSatisfy { $0.new == 1 }
    let phase: ProfileReport.Phase = isDecode ? .decode : .prompt
    let (first, last) = (stamps[0], stamps[stamps.count - 1])
    var sums = totals[phase] ?? [ProfileReport.Total](repeating: .init(), count: plan.steps.count)
    for (index, step) in plan.steps.enumerated() {
      sums[index].calls += 1
      sums[index].seconds += Double(stamps[index + 1] - stamps[index]) * 1e-9
      sums[index].work += step.work(sizes, lengths)
    }
    totals[phase] = sums
    forwardTotals[phase, default: .init()].add(tokens: tokens, seconds: Double(last - first) * 1e-9)
    guard keepsEvents else { return }
    guard events.count + plan.steps.count < Profiler.mostEvents else {
      dropped += plan.steps.count + 1
      return
    }
    events.append(.init(step: -1 - forwards.count, start: first, end: last))
    forwards.append(.init(tokens: tokens, sequences: lengths.sequences.count, phase: phase))
    for index in plan.steps.indices {
      events.append(.init(step: index, start: stamps[index], end: stamps[index + 1]))
    }
  }
}

extension Plan {
  /// A label per step.
  fileprivate var labels: [ProfileReport.Label] {
    steps.enumerated().map { index, step in
      let name = index < names.count ? names[index] : StepName()
      return .init(
        op: step.kind, name: name.parameter, shape: step.shape, format: step.format, layer: name.layer)
    }
  }
}
