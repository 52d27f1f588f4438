internal import IngotCore
internal import ONNXRuntime

/// Drives a decoder in one model, as ONNX Runtime GenAI, optimum and our `genai` preset write it.
///
/// Keys and values grow by concatenation, and what a run gives back is what the next one takes; or, where the model's
/// attention is GroupQueryAttention, they stay in one buffer that it reads and writes. Nothing is copied either way.
/// A model without cache ports computes the whole text anew each time.
final class WholeDriver: ONNXDriver {
  private let session: OrtSession
  private let context: ONNXContext
  private let hidden: HiddenOutputs
  /// What runs, and what runs while values between layers are observed.
  private let plain: OrtBinding
  private var observer: OrtBinding?
  /// The one of them in use.
  private var binding: OrtBinding
  private let ports: WholePorts
  /// How keys and values lie, per layer.
  private let geometries: [KVGeometry]
  /// Whether past and present are one buffer.
  private let sharesBuffer: Bool
  private let ones: OrtValue?
  private let width: Int?

  var observations: [String] { hidden.names }
  var layerCount: Int { ports.layers.count }
  var vocabSize: Int? { width }
  var fixedLength: Int? { sharesBuffer ? geometries.compactMap(\.length).min() : nil }

  /// Most tokens of a run.
  private static let longestPiece = 512
  /// Most logits of a run: 256 MB.
  private static let mostLogits = 1 << 26

  init(_ context: ONNXContext, file: String) throws(IngotError) {
    session = try context.session(file)
    ports = try WholePorts(session, genai: context.facts.genai)
    self.context = context
    hidden = HiddenOutputs(path: session.path)
    plain = try OrtBinding(session)
    binding = plain
    width = ports.logits.dims[2]
    var geometries: [KVGeometry] = []
    for layer in ports.layers {
      let (heads, headDim) = (context.facts.kvHeads, context.facts.headDim)
      let key = try KVGeometry(layer.key, heads: heads, headDim: headDim, file: session.path)
      let value = try KVGeometry(layer.value, heads: heads, headDim: headDim, file: session.path)
      guard key == value, key.stackedLayers == nil, key.layers == 1 else {
        throw IngotError(
          .unsupported, "keys \(layer.key) and values \(layer.value) differ in shape",
          at: .init(file: session.path))
      }
      geometries.append(key)
    }
    self.geometries = geometries
    sharesBuffer =
      !geometries.isEmpty && OperatorScan.file(session.path, has: "GroupQueryAttention")
      && !geometries.contains { $0.isLengthFirst }
    if !sharesBuffer {
      if let first = geometries.first, let odd = geometries.first(where: { $0 != first }) {
        throw IngotError(
          .unsupported, "layers have caches of different shapes: \(first.heads) and \(odd.heads) heads",
          at: .init(file: session.path))
      }
      if let fixed = geometries.first(where: { $0.length != nil }), let length = fixed.length {
        throw IngotError(
          .unsupported, "past keys have a fixed length of \(length), and present ones are to be longer",
          at: .init(file: session.path), hint: "export with a dynamic past, or with GroupQueryAttention")
      }
    }
    if let port = ports.mask {
      let length = 1 << 12
      ones = try OrtValue(
        context.runtime, Array(repeating: 1, count: length), shape: [1, length], for: port, file: session.path
      )
    } else {
      ones = nil
    }
    try binding.bind(allocatedOutput: ports.logits.name)
  }

  func makeCache(contextLength: Int) throws(IngotError) -> any ONNXCache {
    if geometries.isEmpty { return TextCache() }
    if sharesBuffer { return try SlotCache(session.runtime, geometries, slots: contextLength) }
    return try GrowingCache(session.runtime, geometries[0], layers: geometries.count)
  }

  func append(
    _ request: ONNXRequest, to cache: any ONNXCache, onTensor: OnTensor, onLogits: OnLogits
  ) throws(IngotError) {
    let longest = max(1, min(Self.longestPiece, width.map { Self.mostLogits / $0 } ?? Self.longestPiece))
    var length = ports.ids.dims[1] == 1 ? 1 : longest
    binding = request.observed.isEmpty ? plain : try observing()
    var start = 0
    while start < request.tokens.count {
      let piece = start..<min(start + length, request.tokens.count)
      let wanted = request.logitRows(of: piece)
      let done = try run(
        request.tokens[piece], cache, wanted,
        onOutputs: { (outputs) throws(IngotError) in
          for name in hidden.names {
            guard let value = outputs[name] else { continue }
            try request.show(name, value, rows: piece, onTensor)
          }
        }
      ) { onLogits(start + $0, $1) }
      if done { start = piece.upperBound } else { length = 1 }
    }
  }

  /// The binding of a session that gives out values between layers, loaded when first asked for.
  private func observing() throws(IngotError) -> OrtBinding {
    if let observer { return observer }
    let made = try OrtBinding(try hidden.session(context))
    for name in [ports.logits.name] + hidden.names { try made.bind(allocatedOutput: name) }
    observer = made
    return made
  }

  /// Runs a piece.
  /// - Returns: whether the logits wanted were there; false, with the cache as before, when the model computes only
  ///   those of the last token.
  private func run(
    _ tokens: ArraySlice<Int>, _ cache: any ONNXCache, _ wanted: Range<Int>,
    onOutputs: ([String: OrtValue]) throws(IngotError) -> Void, _ onLogits: OnLogits
  ) throws(IngotError) -> Bool {
    let text = (cache as? TextCache).map { $0.text(adding: tokens) }
    let ids = text ?? Array(tokens)
    let past = text == nil ? cache.count : 0
    try bindIntegers(ids, past: past, wantsAll: wanted.count > 1)
    try bindCache(cache)
    try binding.run()
    let outputs = try binding.takeOutputs()
    guard let logits = outputs[ports.logits.name], logits.shape.rank == 3, logits.shape[0] == 1,
      logits.shape[1] == ids.count || logits.shape[1] == 1, width == nil || logits.shape[2] == width
    else {
      throw IngotError(
        .format, "the run gave logits of \(outputs[ports.logits.name]?.shape.description ?? "no shape")",
        at: .init(file: session.path, tensor: ports.logits.name))
    }
    let rows = logits.shape[1]
    // Row 0 of the logits is token `first` of the piece.
    let first = tokens.count - rows
    guard wanted.isEmpty || wanted.lowerBound >= first else { return false }
    try onOutputs(outputs)
    try withFloatRows(
      logits.bytes, logits.dtype, width: logits.shape[2],
      rows: wanted.isEmpty ? 0..<0 : wanted.lowerBound - first..<wanted.upperBound - first
    ) { onLogits($0 + first, $1) }
    try keep(outputs, tokens, cache)
    return true
  }

  private func bindIntegers(_ ids: [Int], past: Int, wantsAll: Bool) throws(IngotError) {
    let runtime = session.runtime
    func bind(_ port: TensorPort?, _ numbers: [Int], _ shape: Shape) throws(IngotError) {
      guard let port else { return }
      // A single number may be asked for as [], [1] or [1, 1].
      let shape = shape.count == 1 ? Shape(port.dims.map { _ in 1 }) : shape
      try binding.bind(
        input: port.name, to: try OrtValue(runtime, numbers, shape: shape, for: port, file: session.path))
    }
    let total = past + ids.count
    try bind(ports.ids, ids, [1, ids.count])
    try bind(ports.positions, Array(past..<total), [1, ids.count])
    try bind(ports.total, [total], [1])
    try bind(ports.keptLogits, [wantsAll ? 0 : 1], [1])
    if let port = ports.mask { try binding.bind(input: port.name, to: try mask(port, length: total)) }
    if let port = ports.usesCache {
      let flag = try OrtValue(runtime, dtype: .bool, shape: Shape(port.dims.map { _ in 1 }))
      flag.bytes[0] = past > 0 ? 1 : 0
      try binding.bind(input: port.name, to: flag)
    }
  }

  /// So many ones, [1, length].
  private func mask(_ port: TensorPort, length: Int) throws(IngotError) -> OrtValue {
    let shape: Shape = [1, length]
    guard let ones, length <= ones.shape.count else {
      return try OrtValue(
        session.runtime, Array(repeating: 1, count: length), shape: shape, for: port, file: session.path)
    }
    let bytes = UnsafeRawBufferPointer(rebasing: ones.bytes[0..<length * port.dtype.byteCount])
    return try OrtValue(
      session.runtime, try HostTensor(dtype: port.dtype, shape: shape, bytes: bytes, storage: ones))
  }

  private func bindCache(_ cache: any ONNXCache) throws(IngotError) {
    if let cache = cache as? SlotCache {
      for (layer, pair) in zip(ports.layers, try cache.ownStorage().pairs) {
        try binding.bind(input: layer.pastKey, to: pair.key)
        try binding.bind(input: layer.pastValue, to: pair.value)
        try binding.bind(output: layer.presentKey, to: pair.key)
        try binding.bind(output: layer.presentValue, to: pair.value)
      }
    } else if let cache = cache as? GrowingCache {
      for (layer, pair) in zip(ports.layers, try cache.trimmedPairs()) {
        try binding.bind(input: layer.pastKey, to: pair.key)
        try binding.bind(input: layer.pastValue, to: pair.value)
        try binding.bind(allocatedOutput: layer.presentKey)
        try binding.bind(allocatedOutput: layer.presentValue)
      }
    }
  }

  /// Makes what a run gave back the past of the next.
  private func keep(
    _ outputs: [String: OrtValue], _ tokens: ArraySlice<Int>, _ cache: any ONNXCache
  ) throws(IngotError) {
    if let cache = cache as? TextCache {
      cache.append(tokens)
    } else if let cache = cache as? GrowingCache {
      let pairs = ports.layers.compactMap { layer in
        outputs[layer.presentKey].flatMap { key in
          outputs[layer.presentValue].map { KVPair(key: key, value: $0) }
        }
      }
      try cache.replace(pairs, length: cache.count + tokens.count, file: session.path)
    } else {
      cache.count += tokens.count
    }
  }
}

/// The text itself, for models that keep nothing.
private final class TextCache: ONNXCache {
  private var tokens: [Int] = []

  var count: Int {
    get { tokens.count }
    set { tokens.removeLast(max(0, tokens.count - newValue)) }
  }

  func fork() -> any ONNXCache {
    let copy = TextCache()
    copy.tokens = tokens
    return copy
  }

  func text(adding new: ArraySlice<Int>) -> [Int] { tokens + new }
  func append(_ new: ArraySlice<Int>) { tokens += new }

  func layer(_ layer: Int) throws(IngotError) -> (key: HostTensor, value: HostTensor) {
    throw IngotError(.unsupported, "the model keeps no cache")
  }
}
