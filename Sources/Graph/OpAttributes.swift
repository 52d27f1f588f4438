extension Op {
  /// Attributes of a linear layer.
  public struct Linear: Sendable, Hashable {
    /// Whether the weight is stored [N, K] (as `torch.nn.Linear` does) and not [K, N].
    public var transposeB: Bool
    /// Whether the third operand is a bias.
    public var hasBias: Bool
    /// Whether the last operand is added to the result. Set by a pass.
    public var hasResidual: Bool

    /// Makes the attributes.
    public init(transposeB: Bool = true, hasBias: Bool = false, hasResidual: Bool = false) {
      self.transposeB = transposeB
      self.hasBias = hasBias
      self.hasResidual = hasResidual
    }
  }

  /// Rotary position embedding. Which angles belong to a position is not the operator's business: it names a
  /// table, and whoever runs the graph makes the table from the model's configuration and planned length.
  public struct Rope: Sendable, Hashable {
    /// Dims of each head that rotate, from the first; the rest pass through.
    public var rotaryDim: Int
    /// Whether neighbours (2i, 2i+1) are paired and not halves (i, i + rotaryDim/2).
    public var interleaved: Bool
    /// Name of the table of cosines and sines.
    public var table: String

    /// Makes the attributes.
    public init(rotaryDim: Int, interleaved: Bool = false, table: String = "rope") {
      self.rotaryDim = rotaryDim
      self.interleaved = interleaved
      self.table = table
    }
  }

  /// Causal attention with grouped queries.
  public struct Attention: Sendable, Hashable {
    /// Where keys and values of earlier tokens are.
    public enum Cache: Sendable, Hashable {
      /// In the cache of a layer; the new rows are written to it first.
      case paged(layer: Int)
      /// Nowhere: the tokens given are the whole sequence.
      case none
    }
    /// The cache read and written.
    public var cache: Cache
    /// Factor of the scores, 1/√headDim as a rule.
    public var scale: Float
    /// How many positions a token sees, itself included; nil: all before it.
    public var window: Int?
    /// Bound c of the scores through c · tanh(score / c); nil: none.
    public var softcap: Float?

    /// Makes the attributes.
    public init(cache: Cache, scale: Float, window: Int? = nil, softcap: Float? = nil) {
      self.cache = cache
      self.scale = scale
      self.window = window
      self.softcap = softcap
    }
  }

  /// Elementwise functions of one operand.
  public enum Unary: String, Sendable, Hashable, CaseIterable {
    case neg, abs, exp, log, sqrt, rsqrt, cos, sin, tanh, sigmoid, silu, relu, gelu, geluTanh, quickGelu
    case reciprocal, logicalNot
  }

  /// Elementwise functions of two operands.
  public enum Binary: String, Sendable, Hashable, CaseIterable {
    case add, sub, mul, div, max, min, pow
    case equal, notEqual, less, lessEqual, greater, greaterEqual, logicalAnd, logicalOr

    /// Whether the result is true or false and not a number.
    public var isPredicate: Bool {
      switch self {
      case .add, .sub, .mul, .div, .max, .min, .pow: false
      case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual, .logicalAnd, .logicalOr: true
      }
    }
  }

  /// Functions from the values along an axis to one.
  public enum Reduction: String, Sendable, Hashable, CaseIterable {
    case sum, mean, amax, amin
    /// √Σx².
    case norm
    /// Standard deviation with divisor n - 1, as torch's default.
    case std
  }
}
