public import Artifact
internal import Crypto
public import Engine
public import IngotCore

/// Tokens and the rows a model computed for them, kept in a file for later runs.
///
///     "INGOTKV1", u32 bytes of the JSON, JSON: {model, adapter, kv_type, layers, page_tokens, rounds_activations,
///     angles, tokens, key}, u32 [tokens], the pages of a `KVSnapshot`, 32 bytes HMAC-SHA256 of all before
///
/// The code's key follows from the model's digest and, where the user gives one, the user's key. So a file that was
/// damaged, or made for another model, is refused; one that somebody made up is too, if they lack the user's key.
/// The rows are not encrypted: they tell the text to whoever has the model.
public struct PromptCacheFile: Sendable {
  /// What the rows were computed with.
  public struct Origin: Sendable, Hashable {
    /// The weights.
    public var model: ModelIdentity
    /// A name for what was added to them; empty for nothing.
    public var adapter: String

    /// Takes both.
    public init(model: ModelIdentity, adapter: String = "") { (self.model, self.adapter) = (model, adapter) }
  }

  /// The tokens.
  public let ids: [Int]
  /// Their rows.
  public let snapshot: KVSnapshot
  /// What they were computed with.
  public let origin: Origin

  /// Pairs tokens with their rows.
  /// - Throws: `.argument` unless there are as many of both.
  public init(ids: [Int], snapshot: KVSnapshot, origin: Origin) throws(IngotError) {
    guard ids.count == snapshot.tokens, ids.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      throw IngotError(.argument, "\(ids.count) tokens and rows for \(snapshot.tokens)")
    }
    (self.ids, self.snapshot, self.origin) = (ids, snapshot, origin)
  }

  private static let magic = Array("INGOTKV1".utf8)
  private static let codeBytes = SHA256.byteCount
  private static let longestHeader = 1 << 20

  /// Writes the file; a reader never sees half of it.
  /// - Parameter key: the user's; nil for none.
  /// - Throws: `.io`.
  public func write(to path: String, key: ArtifactKey? = nil) throws(IngotError) {
    let file = try AtomicFile(path: path)
    var code = Self.code(origin.model, key)
    let header = Array(header(key).description.utf8)
    var head = Self.magic
    withUnsafeBytes(of: UInt32(header.count).littleEndian) { head += $0 }
    head += header
    for id in ids { withUnsafeBytes(of: UInt32(id).littleEndian) { head += $0 } }
    try file.reserve(byteCount: head.count + snapshot.bytes.count + Self.codeBytes)
    code.update(data: head)
    try file.write(head)
    code.update(data: snapshot.bytes)
    try file.write(snapshot.bytes)
    try file.write(Array(code.finalize()))
    try file.commit()
  }

  private func header(_ key: ArtifactKey?) -> JSONValue {
    let layout = snapshot.layout
    return .object(
      JSONObject([
        .init("model", .string(origin.model.digest)), .init("adapter", .string(origin.adapter)),
        .init("kv_type", .string(layout.kvType.rawValue)),
        .init("layers", .array(layout.layers.map { .array([.int($0.kvHeads), .int($0.headDim)]) })),
        .init("page_tokens", .int(layout.pageTokens)),
        .init("rounds_activations", .bool(layout.roundsActivations)),
        .init("angles", .string(layout.angles)), .init("tokens", .int(ids.count)),
        .init("key", key.map { .string($0.id) } ?? .null),
      ]))
  }

  /// Reads a file that must be of this origin and layout. Nothing in it is used before its code has been checked, but
  /// the header, to say why it does not fit.
  /// - Parameter key: the user's; nil for none.
  /// - Throws: `.io`; `.format` for a file that is damaged, cut short or not of this kind; `.argument` for one of
  ///   another model, adapter, layout or key.
  public init(
    path: String, origin: Origin, layout: CacheLayout, key: ArtifactKey? = nil
  ) throws(IngotError) {
    try self.init(MappedFile(path: path), origin: origin, layout: layout, key: key)
  }

  package init(
    _ file: MappedFile, origin: Origin, layout: CacheLayout, key: ArtifactKey?
  ) throws(IngotError) {
    var reader = ByteReader(file)
    guard try reader.take(min(Self.magic.count, file.byteCount)).elementsEqual(Self.magic) else {
      throw Self.damaged(file, "it is no prompt cache")
    }
    let headerBytes = Int(try reader.read(UInt32.self))
    guard headerBytes <= Self.longestHeader else { throw Self.damaged(file, "its header is too long") }
    let header = try Header(JSONParser.parse(reader.take(headerBytes), file: file.path), file.path)
    try header.check(origin, layout, key, file.path)

    // Lengths: all of the file, no more and no less.
    guard header.tokens <= reader.remaining / 4,
      let pageBytes = KVSnapshot.byteCount(layout, tokens: header.tokens),
      reader.remaining - 4 * header.tokens - Self.codeBytes == pageBytes
    else {
      throw Self.damaged(file, "its \(file.byteCount) bytes are not those of \(header.tokens) tokens")
    }
    var code = Self.code(origin.model, key)
    code.update(data: try file.bytes(at: 0, count: file.byteCount - Self.codeBytes))
    let stored = try file.bytes(at: file.byteCount - Self.codeBytes, count: Self.codeBytes)
    guard Self.isEqual(Array(code.finalize()), Array(stored)) else {
      throw Self.damaged(
        file, "its authentication code is wrong: it was changed")
    }

    var ids: [Int] = []
    for _ in 0..<header.tokens { ids.append(Int(try reader.read(UInt32.self))) }
    let pages = try reader.take(pageBytes)
    try self.init(
      ids: ids,
      snapshot: KVSnapshot(layout: layout, tokens: header.tokens, bytes: pages, storage: file),
      origin: origin)
  }

  private static func damaged(_ file: MappedFile, _ what: String) -> IngotError {
    IngotError(
      .format, "the prompt cache cannot be used: \(what)", at: .init(file: file.path),
      hint: "remove it, and it is made anew")
  }

  private static func code(_ model: ModelIdentity, _ key: ArtifactKey?) -> HMAC<SHA256> {
    let derived = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(
        data: Array(model.digest.utf8) + (key?.derived(for: "prompt cache") ?? [])),
      salt: Array("ingot prompt cache".utf8), info: Array((key == nil ? "model" : "model, user").utf8),
      outputByteCount: SHA256.byteCount)
    return HMAC<SHA256>(key: derived)
  }

  /// Compares in a time that does not tell where codes differ.
  private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// The header as it stands in a file, believed only as far as it agrees with what is wanted.
private struct Header {
  let model: String, adapter: String, angles: String
  let layout: CacheLayout
  let tokens: Int
  /// The name of the user's key; nil for none.
  let key: String?

  init(_ json: JSONValue, _ path: String) throws(IngotError) {
    guard let model = json["model"]?.string, let adapter = json["adapter"]?.string,
      let kvType = json["kv_type"]?.string.flatMap({ KVType(rawValue: $0) }),
      let pageTokens = json["page_tokens"]?.int, let rounds = json["rounds_activations"]?.bool,
      let angles = json["angles"]?.string, let tokens = json["tokens"]?.int, tokens >= 0,
      let list = json["layers"]?.array
    else {
      throw IngotError(
        .format, "the prompt cache cannot be used: its header is not complete", at: .init(file: path),
        hint: "remove it, and it is made anew")
    }
    let layers = list.map {
      CacheLayout.Layer(kvHeads: $0.array?.first?.int ?? 0, headDim: $0.array?.last?.int ?? 0)
    }
    (self.model, self.adapter, self.angles, self.tokens) = (model, adapter, angles, tokens)
    key = json["key"]?.string
    layout = CacheLayout(
      kvType: kvType, layers: layers, pageTokens: pageTokens, roundsActivations: rounds, angles: angles)
  }

  /// - Throws: `.argument` saying what differs.
  func check(
    _ origin: PromptCacheFile.Origin, _ wanted: CacheLayout, _ given: ArtifactKey?, _ path: String
  ) throws(IngotError) {
    func refuse(_ what: String, _ hint: String = "name another file, or remove it") -> IngotError {
      IngotError(
        .argument, "the prompt cache cannot be used: \(what)", at: .init(file: path), hint: hint)
    }
    guard model == origin.model.digest else {
      throw refuse("it was made with the model \(model.prefix(12)), and this one is \(origin.model)")
    }
    guard adapter == origin.adapter else {
      throw refuse("it was made with the adapter \"\(adapter)\", and this one is \"\(origin.adapter)\"")
    }
    if let mismatch = layout.mismatch(wanted: wanted) { throw refuse(mismatch) }
    guard key == given?.id else {
      throw refuse(
        "it was made \(key.map { "with the key \($0)" } ?? "without a key"), and "
          + (given.map { "\($0) is given" } ?? "none is given"), "give the key it was made with")
    }
  }
}
