public import IngotCore

/// A model on disk: its configuration and its tensors, under Hugging Face names whatever the format.
///
/// Opening reads headers only; tensor bytes stay in the mapped files until someone looks at them.
public protocol Checkpoint: AnyObject, Sendable {
  /// The path it was opened by.
  var path: String { get }
  /// The model's configuration; `tiesEmbeddings` is settled against the tensors present.
  var config: DecoderConfig { get }
  /// Names of the tensors, in file order.
  var tensorNames: [String] { get }
  /// The metadata of a GGUF file, which holds the tokenizer too; nil for other formats.
  var metadata: GGUFMetadata? { get }

  /// The files that lie beside the weights: configuration and tokenizer.
  /// - Throws: `.io` when there can be none.
  func files() throws(IngotError) -> any FileSource

  /// The tensor of a Hugging Face name, or nil when there is none.
  func tensor(named name: String) -> CheckpointTensor?
}

extension Checkpoint {
  /// Those of the folder the checkpoint is.
  public func files() throws(IngotError) -> any FileSource {
    try FolderFiles(path, subfolders: ["additional_chat_templates"])
  }

  /// The tensor of a name that must be there.
  /// - Throws: `.format` when it is not.
  public func required(_ name: String) throws(IngotError) -> CheckpointTensor {
    guard let tensor = tensor(named: name) else {
      throw IngotError(
        .format, "the checkpoint lacks a tensor that its configuration calls for",
        at: .init(file: path, tensor: name))
    }
    return tensor
  }
}

/// The tensors of one or more files, by name and in order.
struct TensorTable: Sendable {
  private(set) var names: [String] = []
  private var tensors: [String: CheckpointTensor] = [:]

  subscript(name: String) -> CheckpointTensor? { tensors[name] }

  /// Adds a tensor.
  /// - Throws: `.format` when the name is taken.
  mutating func append(_ tensor: CheckpointTensor) throws(IngotError) {
    guard tensors.updateValue(tensor, forKey: tensor.name) == nil else {
      throw tensor.error(.format, "two tensors have the name \"\(tensor.name)\"")
    }
    names.append(tensor.name)
  }
}

extension TensorTable {
  /// Gives names as a bare `AutoModel` saves them, `layers.0.…`, the `model.` of a model with a head.
  mutating func completeBareNames() throws(IngotError) {
    guard tensors["embed_tokens.weight"] != nil, tensors[Self.embedding] == nil else { return }
    let bare = self
    self = TensorTable()
    for name in bare.names {
      guard var tensor = bare[name] else { continue }
      if name != Self.head { tensor.name = "model." + name }
      try append(tensor)
    }
  }

  static let head = "lm_head.weight"
  static let embedding = "model.embed_tokens.weight"

  /// Decides whether the head and the embedding are one tensor, as transformers 5 does: a file
  /// without a head ties it, whatever the flag; with both in the file and the flag set, they are tied if
  /// equal.
  ///
  /// A tied model whose file has only the head gets it under the embedding's name as well; an untied one
  /// without embedding stays broken, and whoever asks for the embedding says so.
  /// Source: `PreTrainedModel.tie_weights`, transformers 5.23.
  mutating func tiesEmbeddings(flag: Bool) throws(IngotError) -> Bool {
    switch (tensors[Self.embedding], tensors[Self.head]) {
    case (_, nil): return true
    case (nil, var head?):
      guard flag else { return false }
      head.name = Self.embedding
      try append(head)
      return true
    case (let embedding?, let head?):
      guard flag, embedding.encoding == head.encoding, embedding.shape == head.shape,
        let embedding = embedding.storedBytes, let head = head.storedBytes
      else { return false }
      return embedding.elementsEqualFast(head)
    }
  }
}
