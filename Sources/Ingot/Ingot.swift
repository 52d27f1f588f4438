// What an application needs, under one import.
@_exported public import Artifact
@_exported public import Checkpoints
@_exported public import Compilation
@_exported public import Engine
@_exported public import Generation
@_exported public import Graph
@_exported public import IngotCore
@_exported public import Inspection
@_exported public import Models
@_exported public import NN
@_exported public import ONNX
@_exported public import ONNXRuntime
@_exported public import Quantization
@_exported public import Staging
@_exported public import Tokenizers
