import IngotCore

/// What is known of a block's cache files, in `kv_block{i}.json` beside them: whose they are, and how many of
/// their rows are whole. Rows from there on are dead, whatever they hold.
struct CacheRecord: Hashable {
  /// A number of rows, and what they were computed from.
  struct Mark: Hashable {
    var rows: Int
    /// Digest of the hidden states that the rows came from, chained step by step; nil where it is not known.
    var content: UInt64?
  }

  /// Before the first row.
  static let start = Mark(rows: 0, content: 0)

  /// The rows that are whole.
  var mark: Mark
  /// The step before, so that a step can be done over.
  var previous: Mark?
  var shape: Shape
  var weights: PartPrint

  init(mark: Mark, previous: Mark? = nil, shape: Shape, weights: PartPrint) {
    (self.mark, self.previous, self.shape, self.weights) = (mark, previous, shape, weights)
  }

  /// What the first `rows` rows were computed from, as far as it is known.
  func mark(at rows: Int) -> Mark {
    if rows == mark.rows { return mark }
    if rows == 0 { return Self.start }
    if let previous, rows == previous.rows { return previous }
    return Mark(rows: rows, content: nil)
  }

  // MARK: The file

  /// Reads a record; nil when there is none.
  /// - Throws: `.io`; `.format` naming the key.
  init?(path: String) throws(IngotError) {
    guard Files.exists(path) else { return nil }
    let json = try JSONParser.parse(path: path)
    func broken(_ key: String) -> IngotError {
      IngotError(
        .format, "\(key) is missing or makes no sense", at: .init(file: path, key: key),
        hint: "remove the cache files, or begin anew with --clean")
    }
    guard let mark = Self.mark(json), mark.rows >= 0 else { throw broken("rows") }
    let dims = (json["shape"]?.array ?? []).compactMap(\.int)
    guard dims.count == 5, let shape = try? Shape(checking: dims) else { throw broken("shape") }
    guard mark.rows <= shape[3] else { throw broken("rows") }
    guard let weights = PartPrint(json: json["weights"]) else { throw broken("weights") }
    self.init(mark: mark, shape: shape, weights: weights)
    if let member = json["previous"], !member.isNull {
      guard let previous = Self.mark(member), (0...shape[3]).contains(previous.rows) else {
        throw broken("previous")
      }
      self.previous = previous
    }
  }

  private static func mark(_ json: JSONValue) -> Mark? {
    guard case .int(let rows)? = json["rows"] else { return nil }
    guard let text = json["content"]?.string else { return Mark(rows: rows, content: nil) }
    guard let content = Digest.value(text) else { return nil }
    return Mark(rows: rows, content: content)
  }

  private static func members(_ mark: Mark) -> [JSONObject.Member] {
    [
      .init("rows", .int(mark.rows)),
      .init("content", mark.content.map { .string(Digest.text($0)) } ?? .null),
    ]
  }

  /// - Throws: `.io`.
  func write(_ path: String) throws(IngotError) {
    let members =
      Self.members(mark) + [
        .init("previous", previous.map { .object(JSONObject(Self.members($0))) } ?? .null),
        .init("shape", .array(shape.dims.map { .int($0) })), .init("weights", weights.json),
      ]
    let file = try AtomicFile(path: path)
    try file.write(JSONValue.object(JSONObject(members)).indented + "\n")
    try file.commit()
  }
}
