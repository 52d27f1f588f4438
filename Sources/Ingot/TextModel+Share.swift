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
