public import Graph
public import IngotCore

/// A symbolic tensor: an operator applied to other tensors, not yet computed.
///
/// A small reference to an immutable expression. There is no recorder in the background: a graph comes into
/// being when `Graph(outputs:)` or `Network` walks back from its results, so independent models can be
/// described at the same time without knowing of each other.
public struct Tensor: Sendable {
  /// An operator with its operands and the line that recorded it.
  final class Expression: Sendable {
    let op: Op
    /// Changes only as the expression goes.
    nonisolated(unsafe) private(set) var operands: [Tensor]
    let declaredType: TensorType?
    let place: String

    init(op: Op, operands: [Tensor], declaredType: TensorType?, place: String) {
      (self.op, self.operands, self.declaredType, self.place) = (op, operands, declaredType, place)
    }

    /// Releases a chain of expressions one by one: a deep one would overflow the stack.
    deinit {
      var pending = operands.map(\.expression)
      operands = []
      while var expression = pending.popLast() {
        guard isKnownUniquelyReferenced(&expression) else { continue }
        pending += expression.operands.map(\.expression)
        expression.operands = []
      }
    }
  }

  let expression: Expression
  let output: Int

  private init(_ expression: Expression, output: Int) {
    (self.expression, self.output) = (expression, output)
  }

  /// Records an operator. Nothing is checked here: the verifier throws once, when the graph is made, and
  /// names this line.
  init(_ op: Op, _ operands: [Tensor], type: TensorType? = nil, place: String) {
    self.init(Expression(op: op, operands: operands, declaredType: type, place: place), output: 0)
  }

  /// The results of an operator that has several.
  var outputs: [Tensor] { (0..<expression.op.outputCount).map { Tensor(expression, output: $0) } }

  /// An input of the network, whose type is that of the tensor given for it.
  public init(_ name: String, file: String = #fileID, line: Int = #line) {
    self.init(.input(name: name), [], place: "\(file):\(line)")
  }

  /// An input of the network with a declared type: extents are numbers or names.
  public init(_ name: String, _ dtype: DType, _ dims: [Dim], file: String = #fileID, line: Int = #line) {
    self.init(.input(name: name), [], type: TensorType(dtype, dims), place: "\(file):\(line)")
  }

  /// A tensor of the checkpoint.
  public init(parameter name: String, _ dims: [Int], file: String = #fileID, line: Int = #line) {
    self.init(.parameter(Parameter(name, dims)), [], place: "\(file):\(line)")
  }

  /// A scalar.
  public init(scalar: Double, _ dtype: DType = .f32, file: String = #fileID, line: Int = #line) {
    self.init(.constant(Constant(dtype: dtype, dims: [], values: [scalar])), [], place: "\(file):\(line)")
  }
}
