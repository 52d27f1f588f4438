import Generation
import IngotCore

/// `run.json` in a run root: what the run was begun with. A run is resumed only with the same.
struct RunRecord {
  let members: JSONObject

  static func path(_ root: String) -> String { Files.join(root, "run.json") }

  init(
    prompt: [Int], prefill: StagedForm, decode: StagedForm, prints: [String: [UInt64]], draw: TokenDraw,
    paddingID: Int
  ) {
    let options = draw.options
    var parts = JSONObject()
    for (phase, digests) in prints.sorted(by: { $0.key < $1.key }) {
      parts[phase] = .array(digests.map { .string(Digest.text($0)) })
    }
    members = JSONObject([
      .init("format", .string("ingot staged run 1")),
      .init("prompt_ids", .array(prompt.map { .int($0) })),
      .init("max_cache_len", .int(prefill.cacheLength)),
      .init("prefill_input_len", .int(prefill.inputLength)),
      .init("decode_input_len", .int(decode.inputLength)),
      .init("temperature", .double(options.temperature)), .init("top_k", .int(options.topK)),
      .init("top_p", .double(options.topP)),
      // 64 bits are more than many readers of JSON keep.
      .init("seed", .string("\(draw.seed)")), .init("padding_id", .int(paddingID)),
      .init("parts", .object(parts)),
    ])
  }

  private init(members: JSONObject) { self.members = members }

  /// Reads the record; nil when there is none.
  /// - Throws: `.io`, `.format`.
  init?(root: String) throws(IngotError) {
    let path = Self.path(root)
    guard Files.exists(path) else { return nil }
    guard let members = try JSONParser.parse(path: path).object else {
      throw IngotError(.format, "not a JSON object", at: .init(file: path))
    }
    self.init(members: members)
  }

  /// The seed it was begun with.
  var seed: UInt64? { members["seed"]?.string.flatMap { UInt64($0) } }

  /// Checks that a run to resume is this one.
  /// - Throws: `.argument` naming the first member that differs.
  func require(sameAs begun: RunRecord, root: String) throws(IngotError) {
    for member in members.members {
      let before = begun.members[member.key] ?? .null
      // A number may be written in either form.
      if before == member.value || before.double != nil && before.double == member.value.double { continue }
      let what: String
      switch member.key {
      case "prompt_ids": what = "the run was begun with another prompt"
      case "parts": what = "the run was begun with another model, or another export of it"
      default:
        let (old, new) = (before.string ?? "\(before)", member.value.string ?? "\(member.value)")
        what = "the run was begun with \(member.key) \(old); now it is \(new)"
      }
      throw IngotError(
        .argument, what, at: .init(file: Self.path(root), key: member.key),
        hint: "resume with what it was begun with, or begin anew with --clean")
    }
  }

  func write(root: String) throws(IngotError) {
    let file = try AtomicFile(path: Self.path(root))
    try file.write(JSONValue.object(members).indented + "\n")
    try file.commit()
  }
}

/// `step.json`: the step is whole, and this came of it.
struct StepRecord: Hashable {
  var step: Int
  var pastLength: Int
  var queryLength: Int
  /// The token drawn; nil in the middle of a prompt.
  var nextToken: Int?
  /// What each block's cache then held, by digest.
  var content: [UInt64]

  var json: JSONValue {
    .object(
      JSONObject([
        .init("step", .int(step)), .init("past_len", .int(pastLength)), .init("q_len", .int(queryLength)),
        .init("next_token_id", nextToken.map { .int($0) } ?? .null),
        .init("kv", .array(content.map { .string(Digest.text($0)) })),
      ]))
  }

  init(step: Int, pastLength: Int, queryLength: Int, nextToken: Int?, content: [UInt64]) {
    (self.step, self.pastLength, self.queryLength) = (step, pastLength, queryLength)
    (self.nextToken, self.content) = (nextToken, content)
  }

  /// Reads a record; nil when there is none: the step is not whole.
  /// - Throws: `.io`, `.format`.
  init?(path: String) throws(IngotError) {
    guard Files.exists(path) else { return nil }
    let json = try JSONParser.parse(path: path)
    func number(_ key: String) throws(IngotError) -> Int {
      guard case .int(let value)? = json[key] else {
        throw IngotError(.format, "\(key) is no integer", at: .init(file: path, key: key))
      }
      return value
    }
    let digests = json["kv"]?.array ?? []
    content = digests.compactMap { $0.string.flatMap(Digest.value) }
    guard content.count == digests.count else {
      throw IngotError(.format, "kv is no list of digests", at: .init(file: path, key: "kv"))
    }
    (step, pastLength, queryLength) = (try number("step"), try number("past_len"), try number("q_len"))
    nextToken = json["next_token_id"]?.isNull == false ? try number("next_token_id") : nil
  }
}
