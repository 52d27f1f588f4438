public import Engine
public import IngotCore

/// A profile as tables and as JSON.
extension ProfileReport {
  /// Per phase a table by kind of step, and one by the weights they read. A fraction is the larger of both: bytes
  /// over the read bandwidth, operations over the peak of their arithmetic.
  public func text(_ limits: MachineLimits?) -> String {
    var text = ""
    for phase in Phase.allCases {
      guard let forwards = forwards[phase] else { continue }
      let rate = forwards.seconds > 0 ? Double(forwards.tokens) / forwards.seconds : 0
      text += "\(phase.rawValue): \(forwards.count) forwards, \(forwards.tokens) tokens, "
      text += "\(NumberText.fixed(forwards.seconds, digits: 3)) s, \(NumberText.fixed(rate, digits: 1)) t/s\n"
      text += table("step", byKind(phase), forwards, limits) + "\n"
      text += table("step of all layers", byLabel(phase), forwards, limits) + "\n"
    }
    return text
  }

  private func table(
    _ title: String, _ rows: [(label: Label, total: Total)], _ forwards: ForwardTotal,
    _ limits: MachineLimits?
  ) -> String {
    var table = TextTable([title, "calls", "ms", "share", "MB/call", "GB/s", "GOPS", "of limit"])
    for (label, total) in rows {
      let name = [label.title, label.shape, label.format].filter { !$0.isEmpty }.joined(separator: " ")
      let calls = Double(max(1, total.calls))
      let seconds = max(total.seconds, 1e-12)
      table.append([
        name, "\(total.calls)", NumberText.fixed(total.seconds * 1e3, digits: 2),
        NumberText.fixed(100 * total.seconds / max(forwards.seconds, 1e-12), digits: 1) + "%",
        NumberText.short(Double(total.work.bytes) / calls * 1e-6),
        NumberText.fixed(Double(total.work.bytes) / seconds * 1e-9, digits: 2),
        NumberText.fixed(Double(total.work.operations) / seconds * 1e-9, digits: 2),
        limits.flatMap { LimitFraction(total.work, seconds: total.seconds, limits: $0)?.text } ?? "",
      ])
    }
    return table.text
  }

  /// The same numbers for programs.
  public func json(_ limits: MachineLimits?) -> JSONValue {
    var object = JSONObject()
    for phase in Phase.allCases {
      guard let forwards = forwards[phase] else { continue }
      object[phase.rawValue] = .object(
        JSONObject([
          .init("forwards", .int(forwards.count)), .init("tokens", .int(forwards.tokens)),
          .init("seconds", .double(forwards.seconds)),
          .init("steps", .array(byLabel(phase).map { json($0.label, $0.total, limits) })),
        ]))
    }
    return .object(object)
  }

  private func json(_ label: Label, _ total: Total, _ limits: MachineLimits?) -> JSONValue {
    let fraction = limits.flatMap { LimitFraction(total.work, seconds: total.seconds, limits: $0) }
    return .object(
      JSONObject([
        .init("op", .string(label.op)), .init("name", .string(label.name)),
        .init("shape", .string(label.shape)), .init("format", .string(label.format)),
        .init("calls", .int(total.calls)), .init("seconds", .double(total.seconds)),
        .init("bytes", .int(total.work.bytes)), .init("operations", .int(total.work.operations)),
        .init("limit", fraction.map { .string($0.bound.rawValue) } ?? .null),
        .init("limit_fraction", fraction.map { .double($0.fraction) } ?? .null),
      ]))
  }
}
