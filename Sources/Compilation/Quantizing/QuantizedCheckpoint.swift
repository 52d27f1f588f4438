public import Checkpoints
internal import Graph
public import IngotCore
public import Models
internal import Quantization

/// A checkpoint whose matrices are stored by a recipe. Rows are rounded as they are read, so that nothing of the model
/// is held in memory.
///
/// What integers stand for already is kept: rounding it again would only lose. Norms, biases and tables of angles stay
/// as they are.
public final class QuantizedCheckpoint: Checkpoint {
  /// The path of the original.
  public var path: String { original.path }
  /// Its configuration.
  public var config: DecoderConfig { original.config }
  /// Names of the tensors.
  public var tensorNames: [String] { original.tensorNames }
  /// The original's.
  public var metadata: GGUFMetadata? { original.metadata }
  /// What was decided against the recipe, for people: why a tensor keeps what it is.
  public let notes: [String]

  private let original: any Checkpoint
  private let forms: [String: Form]

  /// What a matrix becomes.
  private enum Form {
    case float(DType)
    case integers(GroupedQuantizer)
  }

  /// Decides for every matrix; nothing is read.
  /// - Throws: `.unsupported` for an unknown family; `.argument` for an override that no tensor matches.
  public init(
    _ checkpoint: any Checkpoint, _ recipe: QuantizationRecipe, registry: ModelRegistry = .standard
  ) throws(IngotError) {
    original = checkpoint
    let graph = try registry.graph(for: checkpoint.config)
    var forms: [String: Form] = [:]
    var notes: [String] = []
    var kept = 0
    var unmatched = Set(recipe.overrides.map(\.pattern))
    for name in graph.matrixNames {
      guard let tensor = checkpoint.tensor(named: name) else { continue }
      let isTied = checkpoint.config.tiesEmbeddings && name.hasSuffix("embed_tokens.weight")
      let names = isTied ? [name, "lm_head.weight"] : [name]
      for override in recipe.overrides where names.contains(where: override.matches) {
        unmatched.remove(override.pattern)
      }
      let (mode, isNamed) = recipe.mode(ofTensorNamed: names)
      switch (tensor.reordered?.tensor ?? tensor).encoding {
      case .block, .grouped:
        if mode.isIntegers, !isNamed {
          kept += 1
          continue
        }
      case .plain: break
      }
      switch mode {
      case .keep: continue
      case .float(let dtype):
        if tensor.encoding != .plain(dtype) || tensor.reordered != nil { forms[name] = .float(dtype) }
      case .integers(let format):
        let fitting = try format.fitting(inputs: tensor.columnCount)
        if let fitting, fitting != format {
          notes.append("\(name) has \(tensor.columnCount) inputs: stored in groups of \(fitting.groupSize)")
        }
        forms[name] = fitting.map { .integers(GroupedQuantizer($0)) }
      case .channels(let bits):
        let longest = try GroupedFormat(bits: bits, groupSize: 128, hasMinimum: false)
        forms[name] = try longest.fitting(inputs: tensor.columnCount).map {
          .integers(GroupedQuantizer($0, sharing: .channel))
        }
      }
      if mode.isIntegers, forms[name] == nil {
        notes.append("\(name) has \(tensor.columnCount) inputs, no multiple of 32: stored as f16")
        forms[name] = .float(.f16)
      }
    }
    if let pattern = unmatched.sorted().first {
      throw IngotError(
        .argument, "no weight's name matches the override \"\(pattern)\"",
        hint: "ingot info lists the tensors; * stands for any text")
    }
    if kept > 0 { notes.append("\(kept) tensors are integers already and stay what they are") }
    (self.forms, self.notes) = (forms, notes)
  }

  /// The original's; see `Checkpoint`.
  public func files() throws(IngotError) -> any FileSource { try original.files() }

  /// A tensor, whose rows are rounded as they are read.
  public func tensor(named name: String) -> CheckpointTensor? {
    guard let tensor = original.tensor(named: name), let form = forms[name] else {
      return original.tensor(named: name)
    }
    switch form {
    case .float(let dtype):
      return CheckpointTensor(
        name: name, encoding: .plain(dtype), shape: tensor.shape, file: tensor.file,
        source: ConvertedRows(tensor, dtype))
    case .integers(let quantizer):
      return CheckpointTensor(
        name: name, encoding: .grouped(quantizer.format), shape: tensor.shape, file: tensor.file,
        source: QuantizedRows(tensor, quantizer))
    }
  }

  /// What rounds the rows of a tensor to integers; nil for one that is stored otherwise.
  func quantizer(of name: String) -> GroupedQuantizer? {
    if case .integers(let quantizer) = forms[name] { quantizer } else { nil }
  }
}

extension Graph {
  /// Names of the tensors that are read as matrices: of linear layers, and of the embedding.
  fileprivate var matrixNames: [String] {
    var names: [String] = []
    var seen: Set<String> = []
    for node in nodes {
      let operand: Value
      switch node.op {
      case .linear: operand = node.inputs[1]
      case .embedding: operand = node.inputs[0]
      default: continue
      }
      guard case .parameter(let parameter) = nodes[operand.node].op else { continue }
      for part in parameter.parts where part.dims.count == 2 && seen.insert(part.name).inserted {
        names.append(part.name)
      }
    }
    return names
  }
}

extension GroupedFormat {
  /// The format with the largest group, at most this one's, that divides a number of inputs; nil for none.
  fileprivate func fitting(inputs: Int) throws(IngotError) -> GroupedFormat? {
    for group in [128, 64, 32] where group <= groupSize && inputs % group == 0 {
      return try GroupedFormat(bits: bits, groupSize: group, hasMinimum: hasMinimum)
    }
    return nil
  }
}
