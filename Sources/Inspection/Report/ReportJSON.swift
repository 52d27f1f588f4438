public import IngotCore

extension VerificationReport {
  /// The results as JSON; numbers that are not finite are null.
  /// - Parameter tolerance: adds what is beyond it, and whether all is within.
  public func json(_ tolerance: Tolerance? = nil) -> JSONValue {
    var object = JSONObject()
    object["reference"] = .string(reference)
    object["candidate"] = .string(candidate)
    object["overall"] = total.json
    object["cases"] = .array(
      cases.map { run in
        .object(
          JSONObject([
            .init("name", .string(run.name)), .init("tokens", .int(run.tokenCount)),
            .init("prefill", run.prefill.json), .init("steps", .array(run.steps.map(\.json))),
          ]))
      })
    object["layers"] = .array(
      layers.map { layer in
        .object(
          JSONObject([
            .init("case", .string(layer.caseName)), .init("name", .string(layer.name)),
            .init("total", layer.total.json), .init("steps", .array(layer.steps.map(\.json))),
          ]))
      })
    object["notes"] = .array(notes.map { .string($0) })
    if let tolerance {
      let violations = check(tolerance)
      object["tolerance"] = tolerance.json
      object["violations"] = .array(
        violations.map {
          .object(
            JSONObject([.init("place", .string($0.place)), .init("what", .string($0.description))]))
        })
      object["passed"] = .bool(violations.isEmpty)
    }
    return .object(object)
  }
}

extension Tolerance {
  fileprivate var json: JSONValue {
    let members: [(String, Double?)] = [
      ("max_scaled", maxScaled), ("min_cosine", minCosine), ("max_mean_kl", maxMeanKL), ("min_top1", minTop1),
    ]
    return .object(
      JSONObject(members.compactMap { name, value in value.map { .init(name, .double($0)) } }))
  }
}

extension LogitsDifference {
  fileprivate var json: JSONValue {
    var members = values.members
    members.insert(.init("rows", .int(rows)), at: 0)
    members += [
      .init("min_cosine", .double(minCosine)), .init("top1", .double(top1)),
      .init("mean_kl", .double(meanKL)),
      .init("max_kl", .double(maxKL)),
    ]
    return .object(JSONObject(members))
  }
}

extension TensorDifference {
  var members: [JSONObject.Member] {
    [
      .init("mse", .double(meanSquared)), .init("cosine", .double(cosine)),
      .init("max_abs_err", .double(maxAbsolute)), .init("max_rel_err", .double(maxRelative)),
      .init("mean_abs_err", .double(meanAbsolute)), .init("nonfinite", .int(nonFinite)),
    ]
  }

  fileprivate var json: JSONValue { .object(JSONObject(members)) }
}

extension Comparison {
  /// The results as JSON; numbers that are not finite are null.
  public var json: JSONValue {
    func strings(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    return .object(
      JSONObject([
        .init("a", .string(a)), .init("b", .string(b)),
        .init(
          "tensors",
          .array(
            entries.map { entry in
              .object(
                JSONObject(
                  [
                    .init("name", .string(entry.name)), .init("shape", entry.shape.json),
                    .init("dtype_a", .string(entry.dtypes.0.rawValue)),
                    .init("dtype_b", .string(entry.dtypes.1.rawValue)),
                    .init("trimmed", .bool(entry.isTrimmed)),
                  ] + entry.difference.members))
            })),
        .init(
          "shape_mismatches",
          .array(
            mismatches.map { mismatch in
              .object(
                JSONObject([
                  .init("name", .string(mismatch.name)), .init("shape_a", mismatch.shapes.0.json),
                  .init("shape_b", mismatch.shapes.1.json),
                ]))
            })),
        .init("only_in_a", strings(missing)), .init("only_in_b", strings(extra)),
      ]))
  }
}

extension TensorSummary {
  /// The summary as JSON.
  public var json: JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }
    return .object(
      JSONObject([
        .init("name", .string(name)), .init("dtype", .string(dtype.rawValue)), .init("shape", shape.json),
        .init("min", number(minimum)), .init("max", number(maximum)), .init("mean", number(mean)),
        .init("nonfinite", .int(nonFinite)),
      ]))
  }
}

extension Shape {
  fileprivate var json: JSONValue { .array(dims.map { .int($0) }) }
}
