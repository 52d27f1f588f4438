internal import Artifact
internal import Checkpoints
public import IngotCore
internal import Tokenizers

extension TextModel {
  /// Opens a smaller model to draft for this one.
  /// - Parameters:
  ///   - options: of the draft model; its context is this model's, or its own where that is shorter.
  ///   - minProbability: as `ModelDrafter`'s.
  /// - Throws: as `init`; `.argument` where the same ids mean different tokens.
  public func drafter(
    _ path: String, options: Options = Options(),
    minProbability: Double = ModelDrafter.defaultMinProbability
  ) throws(IngotError) -> ModelDrafter {
    var options = options
    let draft: TextModel
    if isONNXExport(path) {
      options.contextLength = nil
      draft = try TextModel(path, options: options)
    } else {
      let checkpoint = try openWeights(path)
      options.contextLength = max(1, min(contextLength, checkpoint.config.maxPositions))
      draft = try TextModel(checkpoint, options: options)
    }
    try checkVocabulary(of: draft)
    return try ModelDrafter(draft.generator.model, minProbability: minProbability)
  }

  /// Checks that the ids of a draft model mean what they mean here.
  ///
  /// Where both tokenizers are known, every id they share must stand for the same bytes; special tokens may differ
  /// in name, and one vocabulary may be padded further than the other. Else the sizes must be equal.
  /// - Throws: `.argument` naming both files and the first difference.
  public func checkVocabulary(of draft: TextModel) throws(IngotError) {
    func mismatch(_ what: String) -> IngotError {
      IngotError(
        .argument, "the draft model has another vocabulary than \(path): \(what)",
        at: .init(file: draft.path),
        hint: "draft with a smaller model of the same family")
    }
    guard let ours = generator.tokenizer, let theirs = draft.generator.tokenizer else {
      let (size, other) = (generator.model.config.vocabSize, draft.generator.model.config.vocabSize)
      guard size == other else { throw mismatch("\(other) tokens, and there \(size)") }
      return
    }
    for id in 0..<min(ours.vocabularySize, theirs.vocabularySize) {
      guard let our = ours.bytes(of: id), let their = theirs.bytes(of: id), our != their,
        !(ours.isSpecial(id) && theirs.isSpecial(id))
      else { continue }
      let texts = (their, our)
      throw mismatch(
        "token \(id) is \"\(String(decoding: texts.0, as: UTF8.self))\", and there "
          + "\"\(String(decoding: texts.1, as: UTF8.self))\"")
    }
  }
}
