package import IngotCore

/// What shows a model's logits at the scored positions of windows of a text, so that two models can be compared.
package protocol WindowLogits {
  /// Width of a row of logits.
  var vocabSize: Int { get }

  /// Makes a window ready. Its scored positions are then read from the first to the last.
  /// - Throws: errors of the model.
  func begin(_ window: Int) throws(IngotError)

  /// Shows the logits of the next scored positions in order.
  /// - Throws: errors of the model, and those of `body`.
  func read(
    _ window: Int, _ range: Range<Int>,
    _ body: (_ scored: Int, _ logits: UnsafeBufferPointer<Float>) throws(IngotError) -> Void
  ) throws(IngotError)
}
