public import IngotCore
public import Tokenizers

/// A conversation: every turn renders the whole history with the model's template and computes what the cache
/// does not hold yet.
///
/// When the history outgrows the context, the oldest turns are forgotten, and at last the system message.
/// Turns wait for each other; the history may be read from any thread.
public final class ChatSession: Sendable {
  /// How a conversation is held.
  public struct Options: Sendable {
    /// The first message, from the system; nil for none but what the template says by itself.
    public var system: String?
    /// How replies are made.
    public var generation = GenerationOptions()
    /// Guesses what the model then checks; it follows the conversation from turn to turn. nil for none.
    public var drafter: (any Drafter)?
    /// What else the template sees.
    public var template = ChatTemplate.Options(addGenerationPrompt: true)
    /// Tokens of the context kept free for a reply; nil for a quarter of it, at most 512 and the reply's most.
    public var reserve: Int?

    /// The defaults.
    public init() {}
  }

  /// The model.
  public let model: TextModel
  /// The template in use.
  public let template: ChatTemplate
  private let options: Options
  private let history = Locked<[JSONValue]>([])
  /// Held during a turn.
  private let cache = Locked<CachedSequence?>(nil)

  /// Begins a conversation.
  /// - Throws: `.tokenizer` or `.io` for a model without tokenizer, `.template` for a broken template.
  public init(_ model: TextModel, options: Options = Options()) throws(IngotError) {
    let tokenizer = try model.tokenizer()
    (self.model, self.options) = (model, options)
    template = try ChatTemplate(tokenizer, hasTools: options.template.tools != nil)
    clear()
  }

  /// The messages so far, the system's included.
  public var messages: [JSONValue] { history.withLock { $0 } }

  /// Forgets all but the system message.
  public func clear() {
    history.withLock { $0 = options.system.map { [.message(role: "system", $0)] } ?? [] }
  }

  /// Answers a message and remembers both. What was said before a cancellation is remembered as well; after
  /// an error all is as before.
  /// - Throws: `.limit` for a message that alone is too long for the context, or for a compiled file's stages;
  ///   `.template`; as `Generator.generate`.
  public func reply(
    to message: String, cancellation: Cancellation = Cancellation(),
    onEvent: (GenerationEvent) -> Void = { _ in }
  ) throws(IngotError) -> GenerationResult {
    try cache.withLock { (cache) throws(IngotError) in
      var messages = self.messages + [.message(role: "user", message)]
      let before = messages.count
      let prompt = try fit(&messages)
      if messages.count < before { onEvent(.dropped(messages: before - messages.count)) }
      let sequence: CachedSequence
      if let known = cache {
        sequence = known
      } else {
        sequence = try CachedSequence(model.generator.model, plannedLength: model.contextLength)
        cache = sequence
      }
      let result = try model.generator.generate(
        prompt: prompt, options: options.generation, cache: sequence, drafter: options.drafter,
        cancellation: cancellation, onEvent: onEvent)
      history.withLock { $0 = messages + [.message(role: "assistant", result.text)] }
      return result
    }
  }

  /// The tokens that a message would be answered from, with what was said before.
  /// - Parameter onDropped: called with how many old messages no longer fit, if any do not.
  /// - Throws: as `reply`.
  public func prompt(for message: String, onDropped: (Int) -> Void = { _ in }) throws(IngotError) -> [Int] {
    var messages = self.messages + [.message(role: "user", message)]
    let before = messages.count
    let prompt = try fit(&messages)
    if messages.count < before { onDropped(before - messages.count) }
    return prompt
  }

  /// The ids of the messages, after forgetting as many as it takes for them to fit.
  private func fit(_ messages: inout [JSONValue]) throws(IngotError) -> [Int] {
    let context = model.contextLength
    let reserve = options.reserve ?? min(512, context / 4, options.generation.maxTokens ?? .max)
    let room = max(1, context - max(0, reserve))
    while true {
      let ids = try encode(messages)
      if ids.count <= room {
        // What opens a conversation is a compiled file's prompt and has that stage's length. Later turns continue what
        // is in the cache, replies included, as decoding does, and only the whole has a limit: a history that had to
        // fit one stage would end chats long before their buffer is full.
        if !messages.contains(where: { $0["role"] == .string("assistant") }) {
          _ = try model.stageSet(prompt: ids.count, answer: options.generation.maxTokens)
        }
        return ids
      }
      guard dropOldest(&messages) else {
        throw IngotError(
          .limit, "the message takes \(ids.count) tokens; of the context of \(context), \(room) are for it",
          hint: "use a larger context (-c) or a shorter message")
      }
    }
  }

  private func encode(_ messages: [JSONValue]) throws(IngotError) -> [Int] {
    var options = options.template
    options.addGenerationPrompt = true
    let text = try template.render(messages, options)
    return try model.tokenizer().encode(text, addSpecial: template.wantsSpecialTokens)
  }

  /// Removes the oldest turn, a user's message and what follows it, or else the system message.
  /// - Returns: false when only the newest message is left.
  private func dropOldest(_ messages: inout [JSONValue]) -> Bool {
    guard messages.count > 1 else { return false }
    let isSystem = messages[0]["role"] == .string("system")
    let first = isSystem ? 1 : 0
    guard messages.count - first > 1 else {
      messages.removeFirst()
      return true
    }
    let next = messages[(first + 1)...].firstIndex { $0["role"] == .string("user") } ?? first + 1
    messages.removeSubrange(first..<next)
    return true
  }
}

extension JSONValue {
  /// A message as templates see it.
  public static func message(role: String, _ content: String) -> JSONValue {
    .object(JSONObject([.init("role", .string(role)), .init("content", .string(content))]))
  }
}
