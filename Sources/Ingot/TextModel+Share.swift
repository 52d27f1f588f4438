package import Artifact
public import Generation
public import IngotCore
internal import Tokenizers

extension TextModel {
  /// Computes a text once, for questions about it.
  /// - Parameters:
  ///   - text: becomes the system message or, with `system` or where the template has none, the beginning of the
  ///     user's.
  ///   - system: a system message of its own; nil for none.
  ///   - raw: leaves the chat template out.
  ///   - prefixes: looked through for a beginning of the text that is computed already, and given the whole of it.
  /// - Throws: `.argument` for an empty text, or a file compiled without stages that share; `.limit` for a text that
  ///   is too long; `.template`, `.tokenizer`; `.io` without a tokenizer.
  public func share(
    _ text: String, system: String? = nil, raw: Bool = false, prefixes: PrefixCache? = nil
  ) throws(IngotError) -> SharedText {
    let prompt = try SharedPrompt(text, system: system, tokenizer: tokenizer(), raw: raw)
    let sets = try sharingSets(for: prompt.prefix.count)
    // Rotary tables that depend on the length are the longest set's, so that the text can move between all.
    let longest = sets.map(\.total).max() ?? contextLength
    let session = try SharedSession(
      generator, sets.first(shared: prompt.prefix.count), plannedLength: longest)
    guard let shared = try session.share(prompt.prefix, prefixes: prefixes) else {
      throw IngotError(.argument, "sharing the text was cancelled")
    }
    return SharedText(self, prompt, shared, sets, session)
  }

  /// Computes the text in a file once; see above.
  /// - Throws: as above; `.io`; `.format` for a file that is not UTF-8.
  public func share(
    contentsOf path: String, system: String? = nil, raw: Bool = false, prefixes: PrefixCache? = nil
  ) throws(IngotError) -> SharedText {
    let file = try MappedFile(path: path)
    let text = withExtendedLifetime(file) { String(validating: file.bytes, as: UTF8.self) }
    guard let text else { throw IngotError(.format, "not valid UTF-8", at: .init(file: path)) }
    return try share(text, system: system, raw: raw, prefixes: prefixes)
  }

  /// The sets a text can be in: those of a compiled file that share and that the context holds, or else one of the
  /// whole context.
  func sharingSets(for tokens: Int) throws(IngotError) -> [StageSet] {
    guard let manifest else {
      guard tokens < contextLength - 1 else {
        throw IngotError(
          .limit,
          "the shared text has \(tokens) tokens; a context of \(contextLength) leaves no room for questions",
          at: .init(file: path), hint: "open the model with a larger context")
      }
      return [try StageSet(share: tokens, unshare: contextLength - tokens - 1, total: contextLength)]
    }
    let sets = manifest.sets.filter { $0.share > 0 && $0.total <= contextLength }
    guard !sets.isEmpty else {
      throw IngotError(
        .argument, "the file has no stages that share, in a context of \(contextLength) tokens",
        at: .init(file: path), hint: "compile it again with a share length; its weights stay as they are")
    }
    return sets
  }
}

extension [StageSet] {
  /// The set that serves a shared text, a question and an answer: the smallest that holds all; where the answer fits
  /// in none, the longest that takes the question; and where none does, the longest of all, which then says so.
  package func choice(shared: Int, question: Int, answer: Int) -> StageSet? {
    let fitting = filter { $0.share >= shared && $0.unshare >= question }
    let total = [question, answer].reduce(shared) { sum, count in
      let (more, overflow) = sum.addingReportingOverflow(count)
      return overflow ? .max : more
    }
    return StageSet.smallest(of: fitting, share: shared, total: total)
      ?? fitting.max { $0.total < $1.total }
      ?? filter { $0.share >= shared }.max { ($0.unshare, $0.total) < ($1.unshare, $1.total) }
      ?? self.max { ($0.share, $0.total) < ($1.share, $1.total) }
  }

  /// The set that a text is computed in, before any question.
  /// - Throws: `.argument` where there is no set.
  func first(shared: Int) throws(IngotError) -> StageSet {
    guard let set = choice(shared: shared, question: 1, answer: 1) else {
      throw IngotError(.argument, "the model has no set of lengths")
    }
    return set
  }
}
