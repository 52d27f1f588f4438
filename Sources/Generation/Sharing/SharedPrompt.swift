public import IngotCore
public import Tokenizers

/// A text that many questions share, as the tokens that all of them begin with.
///
/// With a chat template the text is the system message or, where there is one already or the template has none, the
/// beginning of the user's. What comes before the question is found by rendering and encoding several questions: the
/// prefix is what their tokens have in common, so no token reaches across.
public struct SharedPrompt: Sendable {
  /// Where the text stands.
  public enum Place: String, Sendable, CaseIterable {
    /// It is the system message.
    case system
    /// It begins the user's message.
    case user
    /// It begins the prompt, without any template.
    case raw
  }

  /// Where the text stands.
  public let place: Place
  /// The tokens to share.
  public let prefix: [Int]
  private let text: String
  private let system: String?
  private let template: ChatTemplate?
  private let options: ChatTemplate.Options
  private let tokenizer: Tokenizer

  /// Finds the tokens of a text.
  /// - Parameters:
  ///   - system: a system message of its own; nil for none.
  ///   - raw: leaves the template out, as for models that have none.
  ///   - options: what else the template sees.
  /// - Throws: `.argument` for an empty text; `.template` for a template that puts the text behind the question;
  ///   `.tokenizer`.
  public init(
    _ text: String, system: String? = nil, tokenizer: Tokenizer, raw: Bool = false,
    options: ChatTemplate.Options = ChatTemplate.Options()
  ) throws(IngotError) {
    guard !text.isEmpty else { throw IngotError(.argument, "the shared text is empty") }
    let template = raw ? nil : try ChatTemplate(tokenizer, hasTools: options.tools != nil)
    var options = options
    options.addGenerationPrompt = true
    guard let template, template.origin != .plain else {
      guard system == nil else {
        throw IngotError(.argument, "a system message needs a chat template, and there is none")
      }
      let prefix = try tokenizer.encode(text, addSpecial: true)
      self.init(.raw, prefix, text, nil, nil, options, tokenizer)
      return
    }
    var failure: IngotError?
    for place in system == nil ? [Place.system, .user] : [.user] {
      let candidate = SharedPrompt(place, [], text, system, template, options, tokenizer)
      do throws(IngotError) {
        guard let prefix = try candidate.commonPrefix() else { continue }
        self.init(place, prefix, text, system, template, options, tokenizer)
        return
      } catch {
        // A template may refuse system messages.
        failure = failure ?? error
      }
    }
    throw failure
      ?? IngotError(
        .template, "the chat template does not put the shared text before the question",
        hint: "leave the template out (--raw)")
  }

  private init(
    _ place: Place, _ prefix: [Int], _ text: String, _ system: String?, _ template: ChatTemplate?,
    _ options: ChatTemplate.Options, _ tokenizer: Tokenizer
  ) {
    (self.place, self.prefix, self.text, self.system) = (place, prefix, text, system)
    (self.template, self.options, self.tokenizer) = (template, options, tokenizer)
  }

  /// The tokens of a question, up to where the reply begins.
  /// - Throws: `.template` where the question changes how the shared text reads; `.tokenizer`.
  public func question(_ question: String) throws(IngotError) -> [Int] {
    guard let template else { return try tokenizer.encode(question, addSpecial: false) }
    let ids = try tokenizer.encode(try render(question), addSpecial: template.wantsSpecialTokens)
    guard ids.starts(with: prefix) else {
      let same = zip(ids, prefix).prefix { $0 == $1 }.count
      throw IngotError(
        .template,
        "with this question the prompt agrees with the shared text in only \(same) of \(prefix.count) tokens",
        hint: "begin the question with a letter, or leave the template out (--raw)")
    }
    return Array(ids.dropFirst(prefix.count))
  }

  private func render(_ question: String) throws(IngotError) -> String {
    guard let template else { return text + question }
    let messages: [JSONValue] =
      switch place {
      case .system: [.message(role: "system", text), .message(role: "user", question)]
      case .user:
        (system.map { [.message(role: "system", $0)] } ?? [])
          + [.message(role: "user", text + "\n\n" + question)]
      case .raw: [.message(role: "user", text + question)]
      }
    return try template.render(messages, options)
  }

  /// Beginnings of questions as different as they come.
  private static let probes = ["a", "Why", "7", "(", "\"", "\u{E9}", "\u{4E2D}", "- x", "\u{1F600}"]

  /// What all prompts begin with; nil when that lacks some of the text.
  private func commonPrefix() throws(IngotError) -> [Int]? {
    var (bytes, ids): ([UInt8], [Int]) = ([], [])
    for (index, probe) in Self.probes.enumerated() {
      let rendered = try render(probe)
      let encoded = try tokenizer.encode(rendered, addSpecial: template?.wantsSpecialTokens ?? true)
      let utf8 = Array(rendered.utf8)
      bytes = index == 0 ? utf8 : zip(bytes, utf8).prefix { $0 == $1 }.map(\.0)
      ids = index == 0 ? encoded : zip(ids, encoded).prefix { $0 == $1 }.map(\.0)
    }
    let wanted = Array(text.utf8).drop { $0 <= 0x20 }
    let last = wanted.lastIndex { $0 > 0x20 } ?? wanted.startIndex
    guard !ids.isEmpty, bytes.contains(wanted.prefix(through: last)) else { return nil }
    return ids
  }
}
