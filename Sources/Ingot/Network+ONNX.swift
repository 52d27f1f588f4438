public import Checkpoints
public import IngotCore
public import NN
internal import ONNX

extension Network {
  /// Writes the network as one ONNX model, with inputs and outputs under their names.
  /// - Parameters:
  ///   - checkpoint: where parameters are read; nil for a network without.
  ///   - rotary: the angles of each rotary table that `rope` names.
  ///   - opset: the version of ONNX's operators.
  ///   - path: the new file.
  /// - Throws: as `exportONNX`; `.shape` for a network that contradicts itself.
  public func exportONNX(
    _ checkpoint: (any Checkpoint)? = nil, rotary: [String: RotaryFrequencies] = [:], opset: Int = 17,
    to path: String
  ) throws(IngotError) {
    try ONNX.exportONNX(try graph(), checkpoint, rotary: rotary, opset: opset, to: path)
  }
}
