public import CKernels
public import Checkpoints
public import Graph

/// A checkpoint that holds weights in the tiles the kernels read, so that nothing needs to be packed.
public protocol PackedWeightSource: Checkpoint {
  /// A parameter's tiles; nil when they are not there in this form.
  func packedWeight(of parameter: Parameter, format: ingot_format, group: Int) -> PackedWeight?
}
