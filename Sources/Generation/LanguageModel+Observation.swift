public import IngotCore

/// A model that can show what happens inside a forward, so that two back ends can be compared layer by layer.
public protocol ObservableModel: LanguageModel {
  /// Names of what `forward` can show, in the order of computation: `hidden_states.0` goes into the first layer,
  /// `hidden_states.i` comes out of layer i - 1, the last before the final norm. A back end whose parts do not end
  /// at every layer has some of them only, or none.
  var observations: [String] { get }

  /// Appends tokens, computes logits, and shows values between layers.
  /// - Parameters:
  ///   - names: of `observations`.
  ///   - onTensor: called in order of the positions, before the logits of the same tokens, with the index of the
  ///     input, the position within its tokens of the first row, the name and rows f32 [tokens, hidden]. A back
  ///     end may work in pieces: then it is called for each. It must not use the model.
  /// - Throws: `.argument` for an unknown name; else as `LanguageModel.forward`.
  func forward(
    _ inputs: [ModelInput], observing names: Set<String>,
    onTensor: (_ input: Int, _ position: Int, _ name: String, _ tensor: HostTensor) -> Void,
    onLogits: (_ input: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError)

  /// The keys (after their rotation) and values of a layer as the cache holds them: f32 [kvHeads, count, headDim]
  /// each.
  /// - Throws: `.argument` for a layer that is not there, `.unsupported` where the back end cannot show its cache.
  func cache(
    of sequence: any ModelSequence, layer: Int
  ) throws(IngotError) -> (key: HostTensor, value: HostTensor)
}
