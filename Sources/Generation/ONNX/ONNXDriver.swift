internal import Checkpoints
internal import IngotCore
internal import ONNXRuntime

/// What is wanted of the tokens of one sequence in a forward.
struct ONNXRequest {
  let tokens: [Int]
  let logits: ModelInput.LogitRows
  /// Names of `observations`.
  var observed: Set<String> = []

  /// The tokens of a piece whose logits are wanted, counted within the piece.
  func logitRows(of piece: Range<Int>) -> Range<Int> {
    switch logits {
    case .none: 0..<0
    case .all: 0..<piece.count
    case .last: piece.upperBound == tokens.count ? piece.count - 1..<piece.count : 0..<0
    }
  }
}

extension ONNXRequest {
  /// Hands out a value of a piece's tokens, if it is observed.
  func show(
    _ name: String, _ value: OrtValue, rows piece: Range<Int>, _ onTensor: OnTensor
  ) throws(IngotError) {
    guard observed.contains(name) else { return }
    onTensor(piece.lowerBound, name, try value.observedRows(piece.count))
  }
}

/// Called with the position of a token in the request and its logits.
typealias OnLogits = (Int, UnsafeBufferPointer<Float>) -> Void
/// Called with the position of the first token in the request, a name and rows f32 [tokens, hidden].
typealias OnTensor = (Int, String, HostTensor) -> Void

/// Drives the files of one form of export. Not to be used from two threads at once.
protocol ONNXDriver: AnyObject {
  /// Columns of the logits, where the files say so.
  var vocabSize: Int? { get }
  /// Most tokens of a sequence, where the shapes fix it.
  var fixedLength: Int? { get }
  /// Layers with a cache.
  var layerCount: Int { get }
  /// As `ObservableModel.observations`.
  var observations: [String] { get }

  /// An empty cache for so many tokens.
  func makeCache(contextLength: Int) throws(IngotError) -> any ONNXCache

  /// Appends tokens, which fit, to a cache that this driver made; its count is theirs afterwards. After an error the
  /// caller restores it.
  func append(
    _ request: ONNXRequest, to cache: any ONNXCache, onTensor: OnTensor, onLogits: OnLogits
  ) throws(IngotError)
}

/// What all drivers are opened with.
struct ONNXContext {
  let runtime: OrtRuntime
  /// The folder, and the names in it.
  let folder: String
  let options: OrtSession.Options
  let facts: ModelFacts

  /// The path of a file in the folder.
  func path(_ name: String) -> String { FileSystem.join(folder, name) }

  /// Loads a model of the folder.
  func session(_ name: String) throws(IngotError) -> OrtSession {
    let path = path(name)
    guard FileSystem.exists(path) else {
      throw IngotError(
        .io, "the export lacks \(name)", at: .init(file: folder), hint: "export the model again")
    }
    return try OrtSession(runtime, path: path, options: options)
  }

  /// The same for another folder.
  func at(_ folder: String) -> ONNXContext {
    ONNXContext(runtime: runtime, folder: folder, options: options, facts: facts)
  }
}

extension OrtSession {
  /// An input that must be there.
  /// - Throws: `.unsupported` naming file and input.
  func required(input name: String) throws(IngotError) -> TensorPort {
    if let port = input(name) { return port }
    throw missing("input", name, inputs)
  }

  /// An output that must be there.
  /// - Throws: `.unsupported` naming file and output.
  func required(output name: String) throws(IngotError) -> TensorPort {
    if let port = output(name) { return port }
    throw missing("output", name, outputs)
  }

  private func missing(_ side: String, _ name: String, _ ports: [TensorPort]) -> IngotError {
    IngotError(
      .unsupported, "the model has no \(side) \"\(name)\"", at: .init(file: path),
      hint: "its \(side)s are " + ports.prefix(12).map(\.description).joined(separator: ", "))
  }

  /// - Throws: `.unsupported` for an input that nobody here would fill.
  func check(knownInputs: Set<String>) throws(IngotError) {
    for port in inputs where !knownInputs.contains(port.name) {
      throw IngotError(
        .unsupported, "the input \(port) is not known", at: .init(file: path, tensor: port.name),
        hint: "known inputs are \(knownInputs.sorted().prefix(12).joined(separator: ", "))")
    }
  }
}
