internal import IngotCore

/// What a verification found.
public struct VerificationReport: Sendable {
  /// One run of both back ends.
  public struct Case: Sendable {
    /// What was run, as `prefill 32`.
    public var name: String
    /// Tokens of the prefill.
    public var tokenCount: Int
    /// The logits of the prefill: of all its positions, or of the last where all would take too much memory.
    public var prefill = LogitsDifference()
    /// The logits of each token decoded after it.
    public var steps: [LogitsDifference] = []

    /// Both together.
    public var total: LogitsDifference {
      var total = prefill
      for step in steps { total.formUnion(step) }
      return total
    }
    /// The logits of the decoded tokens.
    public var decode: LogitsDifference {
      var total = LogitsDifference()
      for step in steps { total.formUnion(step) }
      return total
    }
  }

  /// A value that every layer has.
  public enum LayerValue: String, Sendable, CaseIterable {
    case hiddenStates = "hidden_states"
    case keys = "present_key"
    case values = "present_value"
  }

  /// A value of one layer in one case: the prefill, then each decoded token.
  public struct Layer: Sendable {
    /// The case's name.
    public var caseName: String
    /// Which value.
    public var value: LayerValue
    /// Which layer; hidden states of layer i are what goes into it, those of the last number what comes out.
    public var index: Int
    /// Differences: of the prefill, then of each decoded token.
    public var steps: [TensorDifference]

    /// `hidden_states.3`.
    public var name: String { "\(value.rawValue).\(index)" }
    /// All steps together.
    public var total: TensorDifference {
      var total = TensorDifference()
      for step in steps { total.formUnion(step) }
      return total
    }
  }

  /// What the reference is, for the reader.
  public var reference = ""
  /// What the candidate is.
  public var candidate = ""
  /// The runs.
  public var cases: [Case] = []
  /// The layers, where both back ends show them.
  public var layers: [Layer] = []
  /// What was left out, and why.
  public var notes: [String] = []

  /// All runs together.
  public var total: LogitsDifference {
    var total = LogitsDifference()
    for run in cases { total.formUnion(run.total) }
    return total
  }

  /// A bound that does not hold.
  public struct Violation: Sendable, Equatable, CustomStringConvertible {
    /// The case, as `prefill 32`.
    public var place: String
    /// What is wrong, with both numbers.
    public var description: String
  }

  /// What is beyond a tolerance; empty when all is within it.
  ///
  /// Bounds on the largest difference and on cosines hold for every case; those on means and shares for all rows
  /// together, since a single row says little about them. NaN, infinity, and a report without any row fail always.
  public func check(_ tolerance: Tolerance) -> [Violation] {
    var violations: [Violation] = []
    func fail(_ place: String, _ what: String) {
      violations.append(Violation(place: place, description: what))
    }
    let total = total
    if total.rows == 0 { fail("overall", "nothing was compared") }
    for run in cases {
      let logits = run.total
      if logits.values.nonFinite > 0 {
        fail(run.name, "\(logits.values.nonFinite) logits are NaN or infinite on one side")
        continue
      }
      if let bound = tolerance.maxScaled {
        let limit = bound * max(1, logits.values.maxReference)
        if logits.values.maxAbsolute > limit {
          fail(
            run.name,
            "the largest difference is \(NumberText.short(logits.values.maxAbsolute)); \(NumberText.short(limit)) is allowed"
          )
        }
      }
      if let bound = tolerance.minCosine, logits.minCosine < bound {
        fail(
          run.name,
          "the smallest cosine is \(NumberText.cosine(logits.minCosine)); \(NumberText.cosine(bound)) is needed"
        )
      }
    }
    for layer in layers where layer.total.nonFinite > 0 {
      fail(
        layer.caseName, "\(layer.total.nonFinite) elements of \(layer.name) are NaN or infinite on one side")
    }
    if let bound = tolerance.maxMeanKL, total.meanKL > bound {
      fail(
        "overall", "the mean KL is \(NumberText.short(total.meanKL)); \(NumberText.short(bound)) is allowed")
    }
    if let bound = tolerance.minTop1, total.top1 < bound {
      fail(
        "overall",
        "the likeliest token agrees in \(NumberText.fixed(total.top1 * 100, digits: 1))% of \(total.rows) rows; \(NumberText.fixed(bound * 100, digits: 1))% is needed"
      )
    }
    return violations
  }
}
