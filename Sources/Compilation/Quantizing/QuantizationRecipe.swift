public import IngotCore

/// How the weights of a model are to be stored: one mode, and others for tensors whose names match a pattern.
public struct QuantizationRecipe: Sendable, Hashable {
  /// Another mode for some tensors.
  public struct Override: Sendable, Hashable {
    /// A part of a name, or a whole name in which `*` stands for any text.
    public var pattern: String
    /// How they are stored.
    public var mode: WeightMode

    /// Pairs both.
    public init(_ pattern: String, _ mode: WeightMode) { (self.pattern, self.mode) = (pattern, mode) }

    /// Reads `pattern=mode`, as `lm_head=int8`.
    /// - Throws: `.argument`.
    public init(_ text: String) throws(IngotError) {
      guard let equals = text.lastIndex(of: "="), equals != text.startIndex else {
        throw IngotError(
          .argument, "\"\(text)\" is no override", hint: "write PATTERN=MODE, as lm_head=int8")
      }
      self.init(String(text[..<equals]), try WeightMode(named: String(text[text.index(after: equals)...])))
    }

    /// Whether a tensor's name matches.
    public func matches(_ name: String) -> Bool {
      let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
      guard pieces.count > 1 else { return name.contains(pattern) }
      guard name.hasPrefix(pieces[0]), name.count >= pieces[0].count + pieces[pieces.count - 1].count,
        name.hasSuffix(pieces[pieces.count - 1])
      else { return false }
      var rest = name.dropFirst(pieces[0].count).dropLast(pieces[pieces.count - 1].count)
      for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
        guard let found = rest.range(of: piece) else { return false }
        rest = rest[found.upperBound...]
      }
      return true
    }
  }

  /// How weights are stored that no override names.
  public var mode: WeightMode
  /// Overrides; the last that matches counts.
  public var overrides: [Override]

  /// Takes both.
  public init(_ mode: WeightMode, overrides: [Override] = []) {
    (self.mode, self.overrides) = (mode, overrides)
  }

  /// The mode of a tensor by its names: a tied embedding is the head, too.
  func mode(ofTensorNamed names: [String]) -> (mode: WeightMode, isNamed: Bool) {
    let override = overrides.last { override in names.contains(where: override.matches) }
    return override.map { ($0.mode, true) } ?? (mode, false)
  }
}

extension Substring {
  /// The first place of another text.
  fileprivate func range(of piece: Substring) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(piece) { return start..<index(start, offsetBy: piece.count) }
      start = index(after: start)
    }
    return nil
  }
}
