internal import IngotCore

/// Profiles in the Trace Event Format: one process, a thread for each, complete events ("ph": "X") whose times
/// nest. Source: "Trace Event Format", Google; times are microseconds.
struct ProfileTrace {
  private let threads: [(name: String, state: Profiler.State)]

  init(_ threads: [(name: String, state: Profiler.State)]) { self.threads = threads }

  /// The trace as JSON.
  var text: String {
    var text = #"{"displayTimeUnit":"ms","traceEvents":["# + "\n"
    text += #"{"name":"process_name","ph":"M","pid":1,"tid":1,"args":{"name":"ingot"}}"#
    let origin = threads.compactMap { $0.state.events.first?.start }.min() ?? 0
    for (index, thread) in threads.enumerated() {
      let at = "\"pid\":1,\"tid\":\(index + 1)"
      text += ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\(at),"
      text += "\"args\":{\"name\":\(JSONValue.string(thread.name))}}"
      Self.write(thread.state, at, origin, to: &text)
    }
    let dropped = threads.reduce(0) { $0 + $1.state.dropped }
    return text + "],\n\"otherData\":{\"dropped_events\":\(dropped)}}\n"
  }

  private static func write(_ state: Profiler.State, _ at: String, _ origin: UInt64, to text: inout String) {
    // The same for all events of a step.
    let steps = state.labels.map { label in
      "\"name\":\(JSONValue.string(label.title)),\"cat\":\"\(label.op)\",\"args\":\(arguments(label))"
    }
    for event in state.events {
      let what: String
      if event.step < 0 {
        let forward = state.forwards[-1 - event.step]
        what =
          "\"name\":\"forward\",\"cat\":\"\(forward.phase.rawValue)\","
          + "\"args\":{\"tokens\":\(forward.tokens),\"sequences\":\(forward.sequences)}"
      } else {
        what = event.step < steps.count ? steps[event.step] : "\"name\":\"step\""
      }
      text += ",\n{\(what),\"ph\":\"X\",\(at),\"ts\":\(microseconds(event.start - origin)),"
      text += "\"dur\":\(microseconds(event.end - event.start))}"
    }
  }

  private static func arguments(_ label: ProfileReport.Label) -> JSONValue {
    var object = JSONObject()
    if let layer = label.layer { object["layer"] = .int(layer) }
    if !label.shape.isEmpty { object["shape"] = .string(label.shape) }
    if !label.format.isEmpty { object["format"] = .string(label.format) }
    return .object(object)
  }

  private static func microseconds(_ nanoseconds: UInt64) -> String {
    let digits = "\(nanoseconds % 1000)"
    return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
  }
}
