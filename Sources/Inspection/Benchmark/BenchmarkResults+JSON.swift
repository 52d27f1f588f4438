internal import Engine
public import IngotCore

/// Results for programs; keys are here to stay. Those of tests are llama-bench's where it has the same.
extension BenchmarkResults {
  /// Everything in one object.
  public var json: JSONValue {
    var object = JSONObject()
    object["model"] = model.json
    object["machine"] = machine.json
    object["limits"] = .array(limits.map(\.json))
    object["loads"] = .array(loads.map { $0.json })
    object["tests"] = .array(rows.map { json($0) })
    return .object(object)
  }

  /// A test with all that it was run on, for a line of its own.
  public func line(_ row: BenchmarkRow) -> JSONValue {
    guard var object = json(row).object else { return .null }
    object["machine"] = machine.json
    object["limits"] = limits(threads: row.setting.threads)?.json ?? .null
    return .object(object)
  }

  private func json(_ row: BenchmarkRow) -> JSONValue {
    var object = JSONObject()
    object["model_filename"] = .string(model.path)
    object["model_type"] = .string(model.name)
    object["model_size"] = .int(model.byteCount)
    object["model_n_params"] = model.parameterCount.map { .int($0) } ?? .null
    object["backends"] = .string(row.setting.backend)
    object["n_threads"] = .int(row.setting.threads)
    object["type_kv"] = row.setting.kvType.map { .string($0.rawValue) } ?? .null
    object["test"] = .string(row.test.name)
    object["n_prompt"] = .int(row.test.prompt)
    object["n_gen"] = .int(row.test.generate)
    object["n_depth"] = .int(row.test.depth)
    object["n_batch"] = .int(row.test.batch)
    object["avg_ts"] = .double(row.speeds.mean)
    object["stddev_ts"] = .double(row.speeds.deviation)
    object["samples_ts"] = .array(row.speeds.values.map { .double($0) })
    object["samples_ns"] = .array(row.seconds.values.map { .int(Int(($0 * 1e9).rounded())) })
    object["limit"] = row.fraction.map { .string($0.bound.rawValue) } ?? .null
    object["limit_fraction"] = row.fraction.map { .double($0.fraction) } ?? .null
    if !row.rivals.isEmpty {
      object["median_ts"] = .double(row.speeds.median)
      object["against"] = .array(row.rivals.map { json($0, row) })
    }
    if let profile = row.profile { object["profile"] = profile.json(limits(threads: row.setting.threads)) }
    return .object(object)
  }

  private func json(_ rival: BenchmarkRow.Rival, _ row: BenchmarkRow) -> JSONValue {
    var object = JSONObject()
    object["peer"] = .string(rival.peer.kind.rawValue)
    object["path"] = .string(rival.peer.path)
    let best = rival.best
    object["setting"] = best.map { .string($0.setting) } ?? .null
    object["median_ts"] = best.map { .double($0.speeds.median) } ?? .null
    object["min_ts"] = best?.speeds.values.min().map { .double($0) } ?? .null
    object["max_ts"] = best?.speeds.values.max().map { .double($0) } ?? .null
    object["ratio"] = row.ratio(to: rival).map { .double($0) } ?? .null
    object["samples_ts"] = .object(
      JSONObject(
        rival.speeds.sorted { $0.key < $1.key }.map {
          .init($0.key, .array($0.value.values.map { .double($0) }))
        }))
    return .object(object)
  }

  /// The names of `csv`'s columns.
  public static let csvHead =
    "model_filename,model_type,model_size,model_n_params,backends,n_threads,type_kv,test,n_prompt,n_gen,n_depth,"
    + "n_batch,avg_ts,stddev_ts,limit,limit_fraction\n"

  /// A test as a line of comma-separated values.
  public func csv(_ row: BenchmarkRow) -> String {
    let names = Self.csvHead.dropLast().split(separator: ",").map(String.init)
    let values = json(row)
    return names.map { name in
      switch values[name] {
      case .string(let text):
        "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
      case .null, nil: ""
      case .some(let value): value.description
      }
    }.joined(separator: ",") + "\n"
  }
}

extension BenchmarkLoad {
  fileprivate var json: JSONValue {
    func number(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
    var object = JSONObject()
    object["backends"] = .string(setting.backend)
    object["n_threads"] = .int(setting.threads)
    object["type_kv"] = setting.kvType.map { .string($0.rawValue) } ?? .null
    object["first_token_s"] = .double(seconds.mean)
    object["stddev_s"] = .double(seconds.deviation)
    object["samples_s"] = .array(seconds.values.map { .double($0) })
    object["peak_bytes"] = number(peakBytes)
    object["weight_bytes"] = number(weightBytes)
    object["kv_bytes"] = number(cacheBytes)
    object["beyond_bytes"] = number(beyondBytes)
    return .object(object)
  }
}

extension ModelDescription {
  fileprivate var json: JSONValue {
    .object(
      JSONObject([
        .init("filename", .string(path)), .init("type", .string(name)), .init("size", .int(byteCount)),
        .init("n_params", parameterCount.map { .int($0) } ?? .null),
      ]))
  }
}

extension Machine {
  /// The machine for programs.
  package var json: JSONValue {
    var object = JSONObject()
    object["cpu"] = .string(model)
    object["cores"] = .int(physicalCores)
    object["performance_cores"] = performanceCores.map { .int($0) } ?? .null
    object["threads"] = .int(threads)
    object["caches"] = .array(
      caches.map { cache in
        .object(
          JSONObject([
            .init("level", .int(cache.level)), .init("kind", .string(cache.kind.rawValue)),
            .init("bytes", .int(cache.byteCount)), .init("shared_by", .int(cache.sharedBy)),
          ]))
      })
    object["numa_nodes"] = .int(numaNodes)
    object["memory_bytes"] = memory.map { .int($0) } ?? .null
    object["isa"] = .string(instructionSet.rawValue)
    return .object(object)
  }
}

extension MachineLimits {
  /// The limits for programs.
  package var json: JSONValue {
    .object(
      JSONObject([
        .init("threads", .int(threads)), .init("isa", .string(instructionSet.rawValue)),
        .init("read_bytes_per_s", .double(readBandwidth)), .init("int8_ops_per_s", .double(int8Operations)),
        .init("f32_ops_per_s", .double(floatOperations)), .init("fork_join_s", .double(forkJoin)),
      ]))
  }
}
