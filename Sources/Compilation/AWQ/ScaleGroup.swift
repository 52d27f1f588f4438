/// Linear layers that read one value, and what makes that value: where scales of its channels can go.
///
/// With s per channel, W · diag(s) and x / s give what W and x give; x / s is made by whatever makes x.
struct ScaleGroup: Sendable, Equatable {
  /// What can divide the channels of x.
  enum Source: Sendable, Equatable {
    /// A norm: its weight, and its bias if any. The norm multiplies by weight + offset.
    case norm(weight: String, bias: String?, offset: Float)
    /// A linear layer, whose output passes on channel by channel: row `rows[c]` makes channel c of x.
    case linear(weight: String, bias: String?, rows: [Int])
  }

  /// A linear layer.
  struct Reader: Sendable, Equatable {
    /// The weight, [outputs, inputs].
    var weight: String
    var outputs: Int
    /// False for what attention compares: there single large weights matter.
    var clips: Bool
  }

  /// Name of the value in the graph that captures it.
  var name: String
  /// Channels of x.
  var width: Int
  var readers: [Reader]
  /// Nil where nothing can take up the scales; weights may still be clipped.
  var source: Source?
}
