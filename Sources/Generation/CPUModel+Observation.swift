internal import Checkpoints
internal import Engine
public import IngotCore

/// Values between layers are shown by a model built with `DecoderEngine.Options.observesLayers`; the cache always.
extension CPUModel: ObservableModel {
  /// Names of what `forward` can show; see `ObservableModel`.
  public var observations: [String] { engine.observations }

  /// Appends tokens and shows values between layers; see `ObservableModel`.
  public func forward(
    _ inputs: [ModelInput], observing names: Set<String>,
    onTensor: (Int, Int, String, HostTensor) -> Void,
    onLogits: (Int, Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(IngotError) {
    var failure: IngotError?
    let items = try items(inputs)
    makeRoom(for: items)
    try engine.forward(
      items, observing: names,
      onRows: { input, position, name, rows in
        do throws(IngotError) {
          let shape = Shape([rows.count / config.hiddenSize, config.hiddenSize])
          onTensor(input, position, name, try HostTensor(Array(rows), shape: shape))
        } catch {
          failure = failure ?? error
        }
      }, onLogits: onLogits)
    if let failure { throw failure }
  }

  /// The keys and values of a layer; see `ObservableModel`.
  public func cache(
    of sequence: any ModelSequence, layer: Int
  ) throws(IngotError) -> (key: HostTensor, value: HostTensor) {
    guard let sequence = sequence as? CPUSequence else {
      throw IngotError(.argument, "the sequence belongs to another model")
    }
    return try engine.cache(of: sequence.paged, layer: layer)
  }
}
