public import Graph
public import IngotCore

/// Arithmetic and comparison, with tensors and with scalars, broadcast as in NumPy.
extension Tensor {
  private static func record(_ function: Op.Binary, _ a: Tensor, _ b: Tensor) -> Tensor {
    // Operators cannot take #fileID; the left operand's line is the nearest there is.
    Tensor(.binary(function), [a, b], place: a.expression.place)
  }

  /// Elementwise sum.
  public static func + (a: Tensor, b: Tensor) -> Tensor { record(.add, a, b) }
  /// Elementwise difference.
  public static func - (a: Tensor, b: Tensor) -> Tensor { record(.sub, a, b) }
  /// Elementwise product.
  public static func * (a: Tensor, b: Tensor) -> Tensor { record(.mul, a, b) }
  /// Elementwise quotient.
  public static func / (a: Tensor, b: Tensor) -> Tensor { record(.div, a, b) }
  /// Sum with a scalar.
  public static func + (a: Tensor, b: Double) -> Tensor { record(.add, a, Tensor(scalar: b)) }
  /// Difference with a scalar.
  public static func - (a: Tensor, b: Double) -> Tensor { record(.sub, a, Tensor(scalar: b)) }
  /// Product with a scalar.
  public static func * (a: Tensor, b: Double) -> Tensor { record(.mul, a, Tensor(scalar: b)) }
  /// Quotient with a scalar.
  public static func / (a: Tensor, b: Double) -> Tensor { record(.div, a, Tensor(scalar: b)) }
  /// The negative.
  public static prefix func - (a: Tensor) -> Tensor { activation(.neg, a) }

  /// Applies a function of two operands by name: `x.binary(.less, y)` compares.
  public func binary(_ function: Op.Binary, _ other: Tensor, file: String = #fileID, line: Int = #line)
    -> Tensor
  {
    Tensor(.binary(function), [self, other], place: "\(file):\(line)")
  }

  /// Another element type.
  public func cast(_ dtype: DType, file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor(.cast(dtype), [self], place: "\(file):\(line)")
  }

  /// One value in place of an axis.
  public func reduce(
    _ reduction: Op.Reduction, axis: Int, keepDims: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor(.reduce(reduction, axis: axis, keepDims: keepDims), [self], place: "\(file):\(line)")
  }

  /// The k largest along the last axis and where they are (i64).
  public func topK(_ k: Int, file: String = #fileID, line: Int = #line) -> (values: Tensor, indices: Tensor) {
    let results = Tensor(.topK(k), [self], place: "\(file):\(line)").outputs
    return (results[0], results[1])
  }

  /// Sorted along the last axis, with the positions (i64) the elements had.
  public func sorted(
    descending: Bool = false, file: String = #fileID, line: Int = #line
  ) -> (values: Tensor, indices: Tensor) {
    let results = Tensor(.sort(descending: descending), [self], place: "\(file):\(line)").outputs
    return (results[0], results[1])
  }
}

/// Moving elements.
extension Tensor {
  /// The same elements under other extents.
  public func reshape(_ dims: [ReshapeDim], file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor(.reshape(dims), [self], place: "\(file):\(line)")
  }

  /// Axes in another order.
  public func permute(_ order: [Int], file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor(.permute(order), [self], place: "\(file):\(line)")
  }

  /// Elements start, start + step, … before end along an axis.
  public func slice(
    axis: Int, _ range: Range<Int>, by step: Int = 1, file: String = #fileID, line: Int = #line
  ) -> Tensor {
    Tensor(
      .slice(axis: axis, start: range.lowerBound, end: range.upperBound, step: step), [self],
      place: "\(file):\(line)")
  }

  /// Pieces of the given sizes along an axis.
  public func split(axis: Int, sizes: [Int], file: String = #fileID, line: Int = #line) -> [Tensor] {
    Tensor(.split(axis: axis, sizes: sizes), [self], place: "\(file):\(line)").outputs
  }

  /// Each axis repeated.
  public func tile(_ repeats: [Int], file: String = #fileID, line: Int = #line) -> Tensor {
    Tensor(.tile(repeats), [self], place: "\(file):\(line)")
  }

  /// [T, heads · D] → [T, heads, D].
  public func heads(_ count: Int, file: String = #fileID, line: Int = #line) -> Tensor {
    reshape([.keep(0), .fixed(count), .infer], file: file, line: line)
  }

  /// [T, heads, D] → [T, heads · D].
  public func joined(file: String = #fileID, line: Int = #line) -> Tensor {
    reshape([.keep(0), .infer], file: file, line: line)
  }

  /// The rows that indices name.
  public func rows(_ indices: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    gather(self, indices, axis: 0, file: file, line: line)
  }
}
