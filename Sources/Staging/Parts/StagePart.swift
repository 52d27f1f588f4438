package import IngotCore

/// The ONNX files that a staged model is cut into.
package enum StagePartName: Hashable, Sendable {
  /// Token ids to hidden states.
  case embed
  /// Some layers in a row.
  case block(Int)
  /// Final norm and head.
  case output
}

extension StagePartName: CustomStringConvertible {
  /// As in `block0`.
  package var description: String {
    switch self {
    case .embed: "embed"
    case .block(let index): "block\(index)"
    case .output: "output"
    }
  }

  /// The part's file in a staged folder.
  package var fileName: String { "\(self).onnx" }
}

/// An input or output of a part.
package struct StagePort: Sendable, Hashable {
  /// Its name in the graph.
  package var name: String
  /// Element type; nil for one that Ingot has no name for.
  package var dtype: DType?
  /// Extents; nil where the graph leaves one open.
  package var dims: [Int?]

  /// Takes the values.
  package init(_ name: String, _ dtype: DType?, _ dims: [Int?]) {
    (self.name, self.dtype, self.dims) = (name, dtype, dims)
  }
}

/// What goes into a part and comes out of it.
package struct StagePorts: Sendable, Hashable {
  /// The inputs.
  package var inputs: [StagePort]
  /// The outputs.
  package var outputs: [StagePort]

  /// Takes the values.
  package init(inputs: [StagePort], outputs: [StagePort]) {
    (self.inputs, self.outputs) = (inputs, outputs)
  }
}

/// A part that is loaded and can run.
package protocol StagePart: AnyObject {
  /// What goes in and comes out.
  var ports: StagePorts { get }

  /// Computes outputs.
  /// - Throws: errors of the back end.
  func run(_ inputs: [String: HostTensor], outputs: [String]) throws(IngotError) -> [String: HostTensor]
}

/// Where the parts of a staged model come from: a folder, or a stand-in.
package protocol StageSource: AnyObject {
  /// The folder, for errors.
  var path: String { get }
  /// How many blocks are there, numbered from 0 without a gap.
  /// - Throws: `.io` when one is missing.
  func blockCount() throws(IngotError) -> Int
  /// Whether a part is there.
  func has(_ part: StagePartName) -> Bool
  /// A part's inputs and outputs, without reading its weights.
  /// - Throws: `.io`, `.format`.
  func ports(of part: StagePartName) throws(IngotError) -> StagePorts
  /// What tells a part from that of another model; reads all its weights once.
  /// - Throws: `.io`, `.format`.
  func print(of part: StagePartName) throws(IngotError) -> PartPrint
  /// Loads a part.
  /// - Throws: `.io`, and errors of the back end.
  func load(_ part: StagePartName) throws(IngotError) -> any StagePart
}

extension StageSource {
  /// A part's file, for errors.
  package func file(_ part: StagePartName) -> String { Files.join(path, part.fileName) }
}
