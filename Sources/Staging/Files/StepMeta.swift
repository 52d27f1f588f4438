package import IngotCore

/// `meta.json` of a step: where in the sequence its tokens stand.
package struct StepMeta: Sendable, Hashable {
  /// Tokens before those of this step.
  package let pastLength: Int
  /// Tokens of this step, without padding.
  package let queryLength: Int
  /// Rows of the cache.
  package let cacheLength: Int
  /// Tokens of a call, with padding.
  package let inputLength: Int

  /// Tokens after this step.
  package var nextPastLength: Int { pastLength + queryLength }

  /// Checks the numbers against each other.
  /// - Throws: `.argument` for negative ones and no tokens; `.limit` for more tokens than a call or the cache
  ///   takes, with the numbers.
  package init(pastLength: Int, queryLength: Int, cacheLength: Int, inputLength: Int) throws(IngotError) {
    let numbers = [
      ("past_len", pastLength, 0), ("q_len", queryLength, 1), ("max_cache_len", cacheLength, 1),
      ("max_input_len", inputLength, 1),
    ]
    for (name, value, least) in numbers where value < least || value > Self.largest {
      let what = value < least ? "it must be at least \(least)" : "that is too large"
      throw IngotError(.argument, "\(name) is \(value); \(what)", at: .init(key: name))
    }
    guard queryLength <= inputLength else {
      throw IngotError(
        .limit, "\(queryLength) tokens in a step; the model takes \(inputLength) (max_input_len)",
        at: .init(key: "q_len"), hint: "ingot pipeline cuts a longer prompt into steps")
    }
    guard pastLength + queryLength <= cacheLength else {
      throw IngotError(
        .limit,
        "\(pastLength) tokens and \(queryLength) new ones are more than the \(cacheLength) rows of the cache (max_cache_len)",
        at: .init(key: "past_len"), hint: "export the model with a larger --max-cache-len")
    }
    (self.pastLength, self.queryLength) = (pastLength, queryLength)
    (self.cacheLength, self.inputLength) = (cacheLength, inputLength)
  }

  private static let largest = 1 << 40

  /// The file's contents.
  package var json: JSONValue {
    .object(
      JSONObject([
        .init("past_len", .int(pastLength)), .init("q_len", .int(queryLength)),
        .init("next_past_len", .int(nextPastLength)), .init("max_cache_len", .int(cacheLength)),
        .init("max_input_len", .int(inputLength)),
      ]))
  }

  /// Reads the file.
  /// - Throws: `.io`; `.format` naming the key of what is no number or contradicts another.
  package init(path: String) throws(IngotError) {
    let json = try JSONParser.parse(path: path)
    guard json.object != nil else {
      throw IngotError(.format, "not a JSON object", at: .init(file: path))
    }
    func number(_ key: String) throws(IngotError) -> Int {
      guard case .int(let value)? = json[key] else {
        let found = json[key].map { "\($0)" } ?? "missing"
        throw IngotError(
          .format, "\(key) is \(found); it must be an integer", at: .init(file: path, key: key))
      }
      return value
    }
    let next = try number("next_past_len")
    do {
      try self.init(
        pastLength: number("past_len"), queryLength: number("q_len"),
        cacheLength: number("max_cache_len"), inputLength: number("max_input_len"))
    } catch {
      var error = error
      if error.kind == .argument { error.kind = .format }
      throw error.inFile(path)
    }
    guard next == nextPastLength else {
      throw IngotError(
        .format,
        "next_past_len is \(next), but past_len \(pastLength) and q_len \(queryLength) make \(nextPastLength)",
        at: .init(file: path, key: "next_past_len"))
    }
  }

  /// Checks that the step was made for a model of these lengths.
  /// - Throws: `.shape` naming the key.
  package func require(inputLength: Int, cacheLength: Int, model: String, file: String) throws(IngotError) {
    try require("max_input_len", self.inputLength, inputLength, model, file)
    try require("max_cache_len", self.cacheLength, cacheLength, model, file)
  }

  /// Checks that the step was made for a model of this length.
  /// - Throws: `.shape` naming the key.
  package func require(inputLength: Int, model: String, file: String) throws(IngotError) {
    try require("max_input_len", self.inputLength, inputLength, model, file)
  }

  private func require(
    _ key: String, _ mine: Int, _ models: Int, _ model: String, _ file: String
  ) throws(IngotError) {
    guard mine == models else {
      throw IngotError(
        .shape, "\(key) is \(mine), but \(model) takes \(models)", at: .init(file: file, key: key))
    }
  }
}
