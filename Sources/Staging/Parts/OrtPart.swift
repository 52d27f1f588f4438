package import IngotCore
package import ONNXRuntime

/// A part that ONNX Runtime runs.
package final class OrtPart: StagePart {
  private let session: OrtSession

  /// Loads a part.
  /// - Throws: `.io`, `.format`, `.unsupported`.
  package init(_ runtime: OrtRuntime, path: String, options: OrtSession.Options) throws(IngotError) {
    session = try OrtSession(runtime, path: path, options: options)
  }

  package var ports: StagePorts {
    func ports(_ list: [TensorPort]) -> [StagePort] { list.map { StagePort($0.name, $0.dtype, $0.dims) } }
    return StagePorts(inputs: ports(session.inputs), outputs: ports(session.outputs))
  }

  package func run(
    _ inputs: [String: HostTensor], outputs: [String]
  ) throws(IngotError) -> [String: HostTensor] {
    try session.run(inputs, outputs: outputs)
  }
}

extension StageFolder {
  /// A folder whose parts ONNX Runtime runs. The library is loaded with the first part.
  /// - Parameters:
  ///   - library: its path; nil to look for it.
  ///   - threads: of one run; nil for what the library thinks best.
  /// - Throws: `.io` for a folder without parts.
  package convenience init(_ path: String, library: String?, threads: Int?) throws(IngotError) {
    var options = OrtSession.Options()
    options.threads = threads
    try self.init(path) { [options] file throws(IngotError) in
      try OrtPart(OrtRuntime.load(library: library), path: file, options: options)
    }
  }
}
