/// Scales and limits of a whole model.
package struct AWQResult: Sendable, Equatable {
  /// What was found for linear layers that read one value.
  package struct Group: Sendable, Equatable {
    /// Index of the decoder layer.
    package var layer: Int
    /// The weights.
    package var weights: [String]
    /// The exponent of the inputs' mean sizes; nil where nothing could take up scales.
    package var ratio: Double?
    /// What part of the outputs' energy rounding loses, summed over the weights, with the scales.
    package var error: Double
    /// The same without.
    package var plainError: Double
    /// The part of groups of weights that are clipped.
    package var clipped: Double
  }

  /// The groups in order.
  package internal(set) var groups: [Group] = []
  /// By tensor.
  var transforms: [String: TensorTransform] = [:]

  /// Takes in what was found for a layer.
  mutating func add(_ layer: LayerResult) {
    groups += layer.groups
    for part in layer.transforms {
      var transform = transforms[part.tensor] ?? TensorTransform()
      if let columns = part.transform.columns { transform.columns = columns }
      if let rows = part.transform.rows { (transform.rows, transform.offset) = (rows, part.transform.offset) }
      if let clips = part.transform.clips { transform.clips = clips }
      transforms[part.tensor] = transform
    }
  }
}

/// What was found for one layer.
struct LayerResult: Sendable, Equatable {
  struct Part: Sendable, Equatable {
    var tensor: String
    var transform: TensorTransform
  }

  var groups: [AWQResult.Group] = []
  /// A tensor may occur more than once, each time with another part of its transform.
  var transforms: [Part] = []
}
