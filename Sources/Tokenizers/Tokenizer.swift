public import IngotCore
import Synchronization

/// Text to token ids and back, as the files of a model define it.
///
/// Reads Hugging Face `tokenizer.json`, tiktoken ranks, SentencePiece models and the vocabulary of a
/// GGUF file. Immutable, so it may be used from any number of tasks at a time.
public final class Tokenizer: Sendable {
  /// Longest text encoded at once, in bytes of UTF-8.
  public static let maximumTextBytes = 1 << 30

  let parts: TokenizerParts
  /// Memory of finished encodings, with their caches, for the next ones.
  private let workspaces = Mutex<[Workspace]>([])

  /// Puts a tokenizer together.
  /// - Throws: `.tokenizer` when the parts name ids that do not exist.
  init(_ parts: TokenizerParts) throws(IngotError) {
    self.parts = parts
    for id in parts.postProcessor.prefix + parts.postProcessor.suffix {
      guard parts.vocabulary.contains(id: id) else {
        throw IngotError(
          .tokenizer, "the token id \(id) to put around texts is not in the vocabulary",
          at: .init(key: "post_processor"))
      }
    }
  }

  /// Encodes text.
  ///
  /// Some 30 MB/s on ordinary text; a single piece of a megabyte takes n log n.
  /// - Parameters:
  ///   - addSpecial: whether to put the model's beginning and end tokens around it, where it has them.
  ///   - parseSpecial: whether special tokens written in the text become those tokens. Pass false for
  ///     text from users that must not control the model.
  /// - Throws: `.limit` when the text is too long, or a pattern of the file backtracks without end.
  public func encode(
    _ text: String, addSpecial: Bool = false, parseSpecial: Bool = true
  ) throws(IngotError) -> [Int] {
    var text = text
    text.makeContiguousUTF8()
    guard text.utf8.count <= Self.maximumTextBytes else {
      throw IngotError(.limit, "a text of \(text.utf8.count) bytes is too long to encode")
    }
    let workspace = workspaces.withLock { $0.popLast() } ?? Workspace()
    defer { workspaces.withLock { if $0.count < 4 { $0.append(workspace) } } }
    var ids: [Int] = addSpecial ? parts.postProcessor.prefix : []
    let result: Result<Void, IngotError> = text.withUTF8 { bytes in
      do throws(IngotError) {
        return .success(try parts.encode(bytes, parseSpecial: parseSpecial, into: &ids, workspace))
      } catch { return .failure(error) }
    }
    try result.get()
    if addSpecial { ids += parts.postProcessor.suffix }
    return ids
  }

  /// Decodes ids to text; bytes that are not UTF-8 become U+FFFD.
  /// - Parameter skipSpecial: whether special tokens are left out.
  /// - Throws: `.tokenizer` for an id that no token has.
  public func decode(_ ids: [Int], skipSpecial: Bool = false) throws(IngotError) -> String {
    var detokenizer = IncrementalDetokenizer(self, skipSpecial: skipSpecial)
    var bytes: [UInt8] = []
    for id in ids { bytes += try detokenizer.pushBytes(id) }
    bytes += try detokenizer.finishBytes()
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Tokenizer {
  /// One more than the largest token id; ids below it may be unused.
  public var vocabularySize: Int { parts.vocabulary.idLimit }

  /// The token's text as its file writes it, as `Ġthe` or `▁the`; nil when no token has the id.
  public func token(of id: Int) -> String? { parts.vocabulary.string(id) }

  /// The bytes that a token stands for in the middle of a text, as ` the`; nil when no token has the id.
  public func bytes(of id: Int) -> [UInt8]? {
    guard parts.vocabulary.contains(id: id) else { return nil }
    return parts.plainBytes(of: id)
  }

  /// The id of a token, written as its file writes it.
  public func id(of token: String) -> Int? { parts.vocabulary.id(of: token) }

  /// Whether a token controls the model rather than being text.
  public func isSpecial(_ id: Int) -> Bool { parts.specialIDs.contains(id) }

  /// The token that begins a text.
  public var bosID: Int? { parts.settings.bosID }

  /// The tokens that end a reply, the usual one first.
  public var eosIDs: [Int] { parts.settings.eosIDs }

  /// The chat template in Jinja, the default one if there are several.
  public var chatTemplate: String? { parts.settings.chatTemplate }

  /// All chat templates by name, when the files name them, as `default` and `tool_use`.
  public var namedChatTemplates: [String: String] { parts.settings.namedChatTemplates }

  /// The texts of special tokens by role, for chat templates: `bos_token`, `eos_token`, `unk_token`,
  /// `pad_token` and others that the files name.
  public var specialTokens: [String: String] { parts.settings.specialTokens }
}
