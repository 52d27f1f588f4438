internal import Artifact
internal import CKernels
internal import Checkpoints
internal import Engine
internal import Graph
internal import IngotCore
internal import Quantization

/// Writes parameters into the segment of weights, one at a time, and notes where.
struct WeightOutput {
  private(set) var index = WeightIndex()
  private let checkpoint: any Checkpoint
  private let packing: WeightPacking
  private var offset = 0
  private var written: Set<String> = []

  /// Takes the bytes of the segment in order.
  typealias Sink = (UnsafeRawBufferPointer) throws(IngotError) -> Void

  init(_ checkpoint: any Checkpoint, _ options: EngineOptions) {
    self.checkpoint = checkpoint
    packing = WeightPacking(checkpoint, options: options)
  }

  /// Writes a parameter in every form it is read in. An embedding that is a matrix too, or that would have to be made
  /// for every look-up, is read from tiles.
  mutating func write(
    _ parameter: Parameter, _ uses: Set<WeightUse>, to sink: Sink
  ) throws(IngotError) {
    var needsRows = uses.contains(.values)
    var isMatrix = uses.contains(.matrix)
    if uses.contains(.table) {
      let tensor = try checkpoint.required(parameter.parts[0].name)
      let isExact = parameter.parts.count == 1 && tensor.encoding.isExactInTiles
      if case .grouped = tensor.encoding { isMatrix = true }
      needsRows = needsRows || !isMatrix || !isExact
    }
    if isMatrix { try writeMatrix(parameter, to: sink) }
    if needsRows {
      for part in parameter.parts { try writeRows(try checkpoint.required(part.name), to: sink) }
    }
  }

  private mutating func writeMatrix(_ parameter: Parameter, to sink: Sink) throws(IngotError) {
    let weight = try packing.pack(parameter)
    let start = offset
    try sink(UnsafeRawBufferPointer(start: weight.descriptor.data, count: weight.byteCount))
    offset += weight.byteCount
    try pad(sink)
    let order = try writeOrder(weight.inputOrder, to: sink)
    index.matrices.append(
      .init(
        parts: parameter.parts.map { .init(name: $0.name, rows: $0.dims[0]) },
        inputs: Int(weight.descriptor.k), format: weight.descriptor.format.rawValue,
        group: Int(weight.descriptor.group), offset: start, byteCount: weight.byteCount,
        order: order))
  }

  /// Writes the order of a matrix's inputs, where it is not their own.
  private mutating func writeOrder(_ order: [Int32]?, to sink: Sink) throws(IngotError) -> Int? {
    guard let order else { return nil }
    let start = offset
    try withTemporaryBytes(4 * order.count) { (bytes) throws(IngotError) in
      for (index, input) in order.enumerated() {
        bytes.storeBytes(of: input.littleEndian, toByteOffset: 4 * index, as: Int32.self)
      }
      try sink(UnsafeRawBufferPointer(bytes))
    }
    offset += 4 * order.count
    try pad(sink)
    return start
  }

  /// Writes a tensor row by row, once.
  mutating func writeRows(_ tensor: CheckpointTensor, to sink: Sink) throws(IngotError) {
    guard written.insert(tensor.name).inserted else { return }
    let start = offset
    try tensor.forEachBand { (bytes) throws(IngotError) in
      try sink(bytes)
      offset += bytes.count
    }
    index.tensors.append(
      .init(
        name: tensor.name, encoding: tensor.encoding, shape: tensor.shape.dims, offset: start,
        byteCount: offset - start))
    try pad(sink)
  }

  private mutating func pad(_ sink: Sink) throws(IngotError) {
    let missing = (WeightIndex.alignment - offset % WeightIndex.alignment) % WeightIndex.alignment
    guard missing > 0 else { return }
    try withTemporaryBytes(missing) { (bytes) throws(IngotError) in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      try sink(UnsafeRawBufferPointer(bytes))
    }
    offset += missing
  }
}
