public import Artifact
public import IngotCore

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
  package func first(shared: Int) throws(IngotError) -> StageSet {
    guard let set = choice(shared: shared, question: 1, answer: 1) else {
      throw IngotError(.argument, "the model has no set of lengths")
    }
    return set
  }
}

extension StageSet {
  /// Checks a text to share.
  /// - Throws: `.limit` for more tokens than the set's share.
  package func check(shared count: Int) throws(IngotError) {
    guard count <= share else {
      throw IngotError(
        .limit, "the shared text has \(count) tokens; the set \(self) takes at most \(share)",
        hint: "shorten it, or use a set with a larger share length")
    }
  }

  /// Checks a question, or a prompt where nothing is shared.
  /// - Parameter name: which of the two.
  /// - Throws: `.limit` for more tokens than the set's unshare.
  package func check(question count: Int, _ name: String = "question") throws(IngotError) {
    guard count <= unshare else {
      throw IngotError(
        .limit, "the \(name) has \(count) tokens; the set \(self) takes at most \(unshare)",
        hint: "shorten it, or use a set with a larger unshare length")
    }
  }
}

extension ArtifactManifest {
  /// The sets that have room for a shared text.
  /// - Throws: `.argument` where there is none.
  package func sharingSets() throws(IngotError) -> [StageSet] {
    let sharing = sets.filter { $0.share > 0 }
    guard !sharing.isEmpty else {
      throw IngotError(
        .argument, "the model is compiled without stages that share",
        hint: "compile it again with --share-length; its weights stay as they are")
    }
    return sharing
  }

  /// The set that serves a prompt with nothing shared: its stage is prefill or, in a set that shares, unshare with a
  /// prefix of no tokens. Room that the prompt leaves is room for the reply. nil for a file of any length.
  /// - Parameters:
  ///   - answer: most tokens of the reply; nil for as many as there is room for.
  ///   - context: sets that are longer are left out.
  /// - Throws: `.limit` for a prompt that none takes.
  package func set(prompt count: Int, answer: Int?, context: Int) throws(IngotError) -> StageSet? {
    let sets = sets.filter { $0.total <= context }
    guard !isDynamic, let set = sets.choice(shared: 0, question: count, answer: answer ?? .max) else {
      return nil
    }
    try set.check(question: count, "prompt")
    return set
  }
}

extension TextModel {
  /// The set of stages that serves a prompt with nothing shared; nil for models without fixed lengths.
  /// - Parameter answer: most tokens of the reply; nil for as many as there is room for.
  /// - Throws: `.limit` for a prompt that no set takes.
  public func stageSet(prompt count: Int, answer: Int? = nil) throws(IngotError) -> StageSet? {
    try manifest?.set(prompt: count, answer: answer, context: contextLength)
  }
}
