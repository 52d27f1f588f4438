import Ingot

/// What `ingot info` tells.
struct ModelReport {
  let path: String
  let config: DecoderConfig
  let tensors: [CheckpointTensor]
  let options: DecoderEngine.Options
  let memory: DecoderEngine.Memory

  init(_ checkpoint: any Checkpoint, _ options: DecoderEngine.Options, _ memory: DecoderEngine.Memory) {
    (path, config) = (checkpoint.path, checkpoint.config)
    (self.options, self.memory) = (options, memory)
    // A head that is the embedding under a second name is not listed twice.
    var seen: Set<String> = []
    tensors = checkpoint.tensorNames.compactMap { checkpoint.tensor(named: $0) }.filter {
      seen.insert($0.identity).inserted
    }
  }

  private var parameterCount: Int { tensors.reduce(0) { $0 + $1.shape.count } }

  private var fileBytes: Int {
    var files: [String: Int] = [:]
    for tensor in tensors { files[tensor.file.path] = tensor.file.byteCount }
    return files.values.reduce(0, +)
  }

  /// Tensors, parameters and bytes of each encoding, the largest first.
  private var encodings: [(name: String, tensors: Int, parameters: Int, bytes: Int)] {
    var sums: [String: (Int, Int, Int)] = [:]
    for tensor in tensors {
      let tensor = tensor.reordered?.tensor ?? tensor
      let sum = sums[tensor.encoding.description] ?? (0, 0, 0)
      sums[tensor.encoding.description] = (
        sum.0 + 1, sum.1 + tensor.shape.count, sum.2 + tensor.byteRange.count
      )
    }
    return sums.map { ($0, $1.0, $1.1, $1.2) }.sorted { ($1.3, $0.0) < ($0.3, $1.0) }
  }

  private var windows: [Int] { Array(Set(config.slidingWindows.compactMap(\.self))).sorted() }

  private var total: Int { memory.total }

  /// The report as lines.
  var text: String {
    var lines: [(String, String)] = [
      ("model", path),
      ("architecture", config.modelType),
      ("parameters", "\(grouped(parameterCount)) in \(tensors.count) tensors"),
      ("file size", bytes(fileBytes)),
    ]
    for encoding in encodings {
      lines.append(
        (
          "  \(encoding.name)",
          "\(encoding.tensors) tensors, \(grouped(encoding.parameters)) parameters, \(bytes(encoding.bytes))"
        ))
    }
    lines += [
      ("vocabulary", grouped(config.vocabSize)),
      ("layers", "\(config.layerCount)"),
      ("hidden size", "\(config.hiddenSize), MLP \(config.intermediateSize)"),
      ("heads", "\(config.headCount), of keys and values \(config.kvHeadCount), of width \(config.headDim)"),
      ("tied embeddings", config.tiesEmbeddings ? "yes" : "no"),
      ("context", "\(grouped(config.maxPositions)) tokens"),
      ("rope", "\(config.ropeScaling.name), theta \(config.ropeTheta)"),
    ]
    if !windows.isEmpty {
      let layers = config.slidingWindows.filter { $0 != nil }.count
      lines.append(
        ("sliding window", "\(windows.map(String.init).joined(separator: ", ")) tokens in \(layers) layers"))
    }
    lines += [
      (
        "memory",
        "for a context of \(grouped(options.contextLength)) tokens, cache in \(options.kvType.rawValue)"
      ),
      ("  weights", bytes(memory.weights)), ("  cache", bytes(memory.cache)),
      ("  workspace", bytes(memory.workspace)), ("  instructions", bytes(memory.instructions)),
      ("  total", bytes(total)),
    ]
    let width = 18
    return lines.map { name, value in
      name + String(repeating: " ", count: max(1, width - name.count)) + value + "\n"
    }.joined()
  }

  /// The report as JSON; keys are here to stay.
  func json(listingTensors: Bool) -> JSONValue {
    var object = JSONObject()
    object["model"] = .string(path)
    object["architecture"] = .string(config.modelType)
    object["parameters"] = .int(parameterCount)
    object["tensors"] = .int(tensors.count)
    object["file_bytes"] = .int(fileBytes)
    object["dtypes"] = .object(
      JSONObject(
        encodings.map {
          .init(
            $0.name, .numbers([("tensors", $0.tensors), ("parameters", $0.parameters), ("bytes", $0.bytes)]))
        }))
    object["vocab_size"] = .int(config.vocabSize)
    object["layers"] = .int(config.layerCount)
    object["hidden_size"] = .int(config.hiddenSize)
    object["intermediate_size"] = .int(config.intermediateSize)
    object["heads"] = .int(config.headCount)
    object["kv_heads"] = .int(config.kvHeadCount)
    object["head_dim"] = .int(config.headDim)
    object["tied_embeddings"] = .bool(config.tiesEmbeddings)
    object["max_context"] = .int(config.maxPositions)
    object["sliding_windows"] = .array(windows.map { .int($0) })
    object["rope"] = .object(
      JSONObject([.init("type", .string(config.ropeScaling.name)), .init("theta", .double(config.ropeTheta))])
    )
    object["bos_token_id"] = config.bosTokenID.map { .int($0) } ?? .null
    object["eos_token_ids"] = .array(config.eosTokenIDs.map { .int($0) })
    object["context"] = .int(options.contextLength)
    object["kv_type"] = .string(options.kvType.rawValue)
    object["memory"] = .numbers([
      ("weights", memory.weights), ("kv", memory.cache), ("workspace", memory.workspace),
      ("instructions", memory.instructions), ("total", total),
    ])
    if listingTensors {
      object["tensor_list"] = .array(
        tensors.map { tensor in
          .object(
            JSONObject([
              .init("name", .string(tensor.name)),
              .init("dtype", .string((tensor.reordered?.tensor ?? tensor).encoding.description)),
              .init("shape", .array(tensor.shape.dims.map { .int($0) })),
            ]))
        })
    }
    return .object(object)
  }
}

extension JSONValue {
  fileprivate static func numbers(_ members: [(String, Int)]) -> JSONValue {
    .object(JSONObject(members.map { .init($0.0, .int($0.1)) }))
  }
}

/// 134515008 as `134,515,008`.
func grouped(_ number: Int) -> String {
  var digits = Array("\(number)")
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return String(digits)
}
