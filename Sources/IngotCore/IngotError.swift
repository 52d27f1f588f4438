/// What went wrong, where, and what to do about it: the one error type of the project.
///
/// Every failure a user can cause (a bad file, a bad option, a bad graph) is one of these, so that a
/// caller has a single thing to catch and a message always reads the same way:
///
///     format: tensor data ends beyond the file
///       in model.safetensors, tensor "lm_head.weight", byte 1048576
///       hint: the download may be incomplete; fetch the file again
public struct IngotError: Error, Sendable, Equatable {
  /// The family of a failure; programs switch over it, people read `what`.
  public enum Kind: String, Sendable {
    /// The operating system refused: no such file, no permission, disk full.
    case io
    /// A file's bytes contradict its format.
    case format
    /// Valid input that asks for something Ingot cannot do.
    case unsupported
    /// A tensor or operator has the wrong shape or dtype.
    case shape
    /// A model configuration that cannot be.
    case config
    /// A command-line option or API argument out of range.
    case argument
    /// A chat template that does not parse, or fails while it runs.
    case template
    /// A tokenizer file that cannot be used, or ids outside the vocabulary.
    case tokenizer
    /// A request beyond a stated limit: context length, recursion, output size.
    case limit
    /// Memory that the system did not grant.
    case memory
  }

  /// Where the failure is. Only what is known is set.
  public struct Place: Sendable, Equatable {
    /// Path of the file, as the user gave it where possible.
    public var file: String?
    /// Name of the tensor concerned.
    public var tensor: String?
    /// Byte offset into `file`.
    public var offset: Int?
    /// Path of a JSON member, as `model.vocab["a"]`.
    public var key: String?
    /// 1-based line in a text, or `File.swift:12` of the line that recorded an op.
    public var line: String?

    /// An unknown place, or one of which some parts are known.
    public init(
      file: String? = nil, tensor: String? = nil, offset: Int? = nil, key: String? = nil,
      line: String? = nil
    ) {
      self.file = file
      self.tensor = tensor
      self.offset = offset
      self.key = key
      self.line = line
    }
  }

  /// The family of the failure.
  public var kind: Kind
  /// One sentence without a full stop: what is wrong, with the numbers.
  public var what: String
  /// Where it is.
  public var place: Place
  /// What the user can do, when there is something.
  public var hint: String?

  /// Makes an error; see the type's description for the style of `what`.
  public init(_ kind: Kind, _ what: String, at place: Place = Place(), hint: String? = nil) {
    self.kind = kind
    self.what = what
    self.place = place
    self.hint = hint
  }

  /// The same error with the file named, unless it names one already.
  public func inFile(_ path: String) -> IngotError {
    var copy = self
    copy.place.file = copy.place.file ?? path
    return copy
  }
}

extension IngotError: CustomStringConvertible {
  /// The message as the command line prints it.
  public var description: String {
    var text = "\(kind.rawValue): \(what)"
    let place = self.place.description
    if !place.isEmpty { text += "\n  in \(place)" }
    if let hint { text += "\n  hint: \(hint)" }
    return text
  }
}

extension IngotError.Place: CustomStringConvertible {
  /// The known parts, separated by commas.
  public var description: String {
    var parts: [String] = []
    if let file { parts.append(file) }
    if let tensor { parts.append("tensor \"\(tensor)\"") }
    if let offset { parts.append("byte \(offset)") }
    if let key { parts.append("key \(key)") }
    if let line { parts.append("line \(line)") }
    return parts.joined(separator: ", ")
  }
}
