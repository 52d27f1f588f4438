import Generation
package import IngotCore
package import Tokenizers

/// What stages know of the vocabulary: the tokenizer, the tokens that end a text, and the one for padding.
package struct StageText: Sendable {
  /// Turns text into ids; nil where there is none.
  package let tokenizer: Tokenizer?
  /// Tokens that end a text.
  package let eosIDs: Set<Int>
  /// Padding: the model's own, else the token that ends a text, else 0.
  package let paddingID: Int
  private let folder: String

  /// Puts the parts together.
  package init(tokenizer: Tokenizer?, eosIDs: Set<Int>, paddingID: Int, folder: String = "") {
    (self.tokenizer, self.eosIDs, self.paddingID) = (tokenizer, eosIDs, paddingID)
    self.folder = folder
  }

  /// Reads the tokenizer's files, `generation_config.json` and `config.json`.
  /// - Parameters:
  ///   - model: the folder of ONNX files; the files may also be in a folder above it.
  ///   - tokenizer: the folder of the tokenizer, when it is another one.
  /// - Throws: `.format`, `.tokenizer` for broken files. A missing tokenizer shows when it is needed.
  package init(model: String, tokenizer tokenizerFolder: String?) throws(IngotError) {
    let above = [model, Files.join(model, ".."), Files.join(model, "../..")]
    let folders = (tokenizerFolder.map { [$0] } ?? []) + above
    var tokenizer: Tokenizer?
    for folder in tokenizerFolder.map({ [$0] }) ?? above where tokenizer == nil {
      do throws(IngotError) { tokenizer = try openTokenizer(folder) } catch {
        // A folder without tokenizer files; one that was named must have them.
        guard error.kind == .io, tokenizerFolder == nil else { throw error }
      }
    }
    let eos = try Self.tokenIDs("eos_token_id", folders) ?? []
    let pad =
      try Self.tokenIDs("pad_token_id", folders)?.first
      ?? tokenizer.flatMap { $0.specialTokens["pad_token"].flatMap($0.id(of:)) }
    self.init(
      tokenizer: tokenizer, eosIDs: Set(eos).union(tokenizer?.eosIDs ?? []),
      paddingID: pad ?? eos.first ?? tokenizer?.eosIDs.first ?? 0, folder: tokenizerFolder ?? model)
  }

  /// The ids that the first file with the key has.
  private static func tokenIDs(_ key: String, _ folders: [String]) throws(IngotError) -> [Int]? {
    for folder in folders {
      for name in ["generation_config.json", "config.json"] {
        let path = Files.join(folder, name)
        guard Files.exists(path) else { continue }
        let json = try JSONParser.parse(path: path)
        guard let member = json[key] ?? json["text_config"]?[key], !member.isNull else { continue }
        let ids = (member.array ?? [member]).compactMap(\.int)
        guard ids.count == (member.array?.count ?? 1), ids.allSatisfy({ $0 >= 0 }) else {
          throw IngotError(
            .config, "\(member) is no token id, nor a list of them", at: .init(file: path, key: key))
        }
        return ids
      }
    }
    return nil
  }

  /// The padding for a model of so many tokens: config files may name one that the model lacks.
  package func padding(vocabularySize: Int?) -> Int {
    guard let size = vocabularySize, paddingID >= size else { return paddingID }
    return eosIDs.filter { $0 < size }.min() ?? 0
  }

  /// The tokenizer.
  /// - Throws: `.io` when there is none.
  package func requireTokenizer() throws(IngotError) -> Tokenizer {
    if let tokenizer { return tokenizer }
    throw IngotError(
      .io, "no tokenizer beside the model", at: .init(file: folder),
      hint: "name its folder with --tokenizer-dir, or give token ids")
  }

  /// The ids of a prompt, which must be some.
  /// - Parameter chat: whether the chat template goes around it.
  /// - Throws: `.argument` for an empty prompt; errors of tokenizer and template.
  package func encode(_ prompt: String, chat: Bool) throws(IngotError) -> [Int] {
    let tokenizer = try requireTokenizer()
    var (text, addsSpecial) = (prompt, true)
    if chat {
      let template = try ChatTemplate(tokenizer)
      let message = JSONObject([.init("role", .string("user")), .init("content", .string(prompt))])
      text = try template.render([.object(message)], .init(addGenerationPrompt: true))
      addsSpecial = template.wantsSpecialTokens
    }
    return try tokenizer.encode(text, addSpecial: addsSpecial)
  }

  /// The text of a token in the middle of a text; nil without tokenizer, empty for an id that it lacks.
  package func text(of id: Int) -> String? {
    tokenizer.map { String(decoding: $0.bytes(of: id) ?? [], as: UTF8.self) }
  }

  /// The text of ids; nil without tokenizer. Ids that the tokenizer lacks are left out.
  /// - Throws: `.limit`.
  package func text(of ids: [Int], skipSpecial: Bool) throws(IngotError) -> String? {
    guard let tokenizer else { return nil }
    return try tokenizer.decode(ids.filter { tokenizer.token(of: $0) != nil }, skipSpecial: skipSpecial)
  }

  /// Checks that there are ids and that the model has them.
  /// - Throws: `.argument`.
  package static func check(_ ids: [Int], vocabularySize: Int?) throws(IngotError) {
    guard !ids.isEmpty else { throw IngotError(.argument, "the prompt has no tokens") }
    for id in ids where id < 0 || id >= vocabularySize ?? .max {
      let size = vocabularySize.map { "outside the vocabulary of \($0)" } ?? "negative"
      throw IngotError(.argument, "token id \(id) is \(size)")
    }
  }
}
