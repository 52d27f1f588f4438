import Checkpoints
import Graph
import IngotCore
import Quantization

/// Cuts pieces into segments, and finds and checks the tensors they need.
struct WeightPlan {
  private(set) var segments: [WeightSegment] = []
  private let packer: WeightPacker
  /// Bytes of a segment where the shapes leave a choice: several fit the last cache.
  private static let segmentBytes = 1 << 20

  init(_ checkpoint: any Checkpoint) { packer = WeightPacker(checkpoint) }

  /// Adds a piece.
  /// - Parameter offsets: of each of its tensors.
  /// - Throws: as `WeightPacker.tensors(of:)`; `.argument` for types that are not made; `.shape` for a parameter
  ///   that is no matrix where one is needed; `.memory`.
  mutating func add(_ piece: WeightPiece, at offsets: [Int]) throws(IngotError) {
    switch piece {
    case .dense(let parameter, let dtype, transposed: false):
      try addRows(try packer.tensors(of: parameter), dtype, at: offsets[0])
    case .dense(let parameter, let dtype, transposed: true):
      try addColumns(try matrix(parameter), dtype, at: offsets[0])
    case .computed(let tensor):
      segments.append(
        WeightSegment(
          offset: offsets[0], byteCount: piece.tensors[0].byteCount, work: ComputedWork(tensor: tensor)))
    case .inputOrder(let order):
      segments.append(
        WeightSegment(
          offset: offsets[0], byteCount: piece.tensors[0].byteCount, work: InputOrderWork(order: order)))
    case .matMulNBits(let parameter, let scheme, let scales, let reordered):
      let piece = try QuantizedPiece(
        try matrix(parameter, reordered: reordered), try BlockQuantizer(scheme, scales: scales),
        group: scheme.nbitsBlock(inputs: parameter.dims[1]), scalesLie: .byRow)
      addNBits(piece, at: offsets)
    case .dequantizeLinear(let parameter, let scheme, let scales, let reordered):
      let piece = try QuantizedPiece(
        try matrix(parameter, reordered: reordered), try BlockQuantizer(scheme, scales: scales),
        group: scheme.groupSize ?? max(parameter.dims[1], 1), scalesLie: .byGroup)
      addDequantize(piece, perChannel: scheme.groupSize == nil, at: offsets)
    }
  }

  /// - Parameter reordered: whether in the order of their groups.
  func matrix(_ parameter: Parameter, reordered: Bool = false) throws(IngotError) -> [CheckpointTensor] {
    var tensors = try packer.tensors(of: parameter)
    if reordered {
      for (index, tensor) in tensors.enumerated() {
        guard let form = tensor.reordered else {
          throw tensor.error(.format, "its groups have no order of their own any more")
        }
        tensors[index] = form.tensor
      }
    }
    guard parameter.dims.count == 2 else {
      throw IngotError(
        .shape, "\(parameter) is not a matrix: \(Shape(parameter.dims))",
        at: .init(tensor: parameter.parts.first?.name))
    }
    return tensors
  }

  private mutating func addRows(_ tensors: [CheckpointTensor], _ dtype: DType, at offset: Int)
    throws(IngotError)
  {
    var offset = offset
    for tensor in tensors {
      let converter = try ElementConverter(tensor.encoding, to: dtype)
      let rowBytes = tensor.columnCount * dtype.byteCount
      for rows in Self.ranges(tensor.rowCount, bytesEach: rowBytes) {
        let work = DenseRows(tensor: tensor, rows: rows, converter: converter)
        segments.append(WeightSegment(offset: offset, byteCount: rows.count * rowBytes, work: work))
        offset += rows.count * rowBytes
      }
    }
  }

  private mutating func addColumns(_ tensors: [CheckpointTensor], _ dtype: DType, at offset: Int)
    throws(IngotError)
  {
    var converters: [ElementConverter] = []
    for tensor in tensors { converters.append(try ElementConverter(tensor.encoding, to: dtype)) }
    let outputs = tensors.reduce(0) { $0 + $1.rowCount }
    let done = Self.releasing(tensors)
    let bands = Self.ranges(
      tensors[0].columnCount, bytesEach: outputs * dtype.byteCount, multiple: Self.columnMultiple(tensors))
    for columns in bands {
      done.add()
      let work = DenseColumns(tensors: tensors, columns: columns, converters: converters)
      let start = offset + columns.lowerBound * outputs * dtype.byteCount
      segments.append(
        WeightSegment(
          offset: start, byteCount: columns.count * outputs * dtype.byteCount, work: work, completes: done))
    }
  }

  private mutating func addNBits(_ piece: QuantizedPiece, at offsets: [Int]) {
    let rowBytes = piece.groups * piece.group * piece.quantizer.scheme.bits / 8
    let values = Countdown()
    var offset = offsets[0]
    for tensor in piece.tensors {
      for rows in Self.ranges(tensor.tensor.rowCount, bytesEach: rowBytes) {
        values.add()
        let work = NBitsRows(piece: piece, tensor: tensor, rows: rows)
        segments.append(
          WeightSegment(offset: offset, byteCount: rows.count * rowBytes, work: work, completes: values))
        offset += rows.count * rowBytes
      }
    }
    addScales(piece, after: values, at: Array(offsets.dropFirst()))
  }

  private mutating func addDequantize(_ piece: QuantizedPiece, perChannel: Bool, at offsets: [Int]) {
    let tensors = piece.tensors.map(\.tensor)
    let scan = perChannel ? Countdown() : nil
    if let scan {
      // The scale of an output follows from all its inputs, which no band of inputs has.
      for tensor in piece.tensors {
        for rows in Self.ranges(tensor.tensor.rowCount, bytesEach: tensor.tensor.rowByteCount) {
          scan.add()
          let work = ScaleRows(piece: piece, tensor: tensor, rows: rows)
          segments.append(
            WeightSegment(offset: offsets[0], byteCount: 0, work: work, completes: scan))
        }
      }
    }
    let values = Self.releasing(tensors)
    let bits = piece.quantizer.scheme.bits
    let multiple = max(Self.columnMultiple(tensors), perChannel ? 1 : piece.group)
    for columns in Self.ranges(piece.inputs, bytesEach: piece.outputs, multiple: multiple) {
      values.add()
      let work = DequantizeColumns(piece: piece, columns: columns, isPerChannel: perChannel)
      // Bands but the last have an even number of elements, so each begins at a byte.
      let start = offsets[0] + columns.lowerBound * piece.outputs * bits / 8
      segments.append(
        WeightSegment(
          offset: start, byteCount: (columns.count * piece.outputs * bits + 7) / 8, work: work,
          waits: scan, completes: values))
    }
    addScales(piece, after: values, at: Array(offsets.dropFirst()))
  }

  /// Scales and, if asymmetric, zero points.
  private mutating func addScales(_ piece: QuantizedPiece, after values: Countdown, at offsets: [Int]) {
    let done = Countdown { piece.finish() }
    let count = piece.outputs * piece.groups
    let scaleBytes = piece.quantizer.scales.byteCount
    for range in Self.ranges(count, bytesEach: scaleBytes) {
      done.add()
      segments.append(
        WeightSegment(
          offset: offsets[0] + range.lowerBound * scaleBytes, byteCount: range.count * scaleBytes,
          work: ScaleValues(piece: piece, range: range), waits: values, completes: done))
    }
    guard !piece.quantizer.scheme.isSymmetric else { return }
    done.add()
    let bytes = piece.zeroPointBytes
    segments.append(
      WeightSegment(
        offset: offsets[1], byteCount: bytes, work: ZeroPoints(piece: piece), waits: values, completes: done))
  }

  /// Lets go of tensors' memory when all of them was read.
  private static func releasing(_ tensors: [CheckpointTensor]) -> Countdown {
    Countdown { for tensor in tensors { tensor.release(0..<tensor.rowCount) } }
  }

  /// Columns are cut at whole blocks and whole cache lines.
  private static func columnMultiple(_ tensors: [CheckpointTensor]) -> Int {
    tensors.reduce(64) { max($0, $1.encoding.blockWeights) }
  }

  /// Ranges of about `segmentBytes` each; they begin at multiples of `multiple`.
  private static func ranges(_ count: Int, bytesEach: Int, multiple: Int = 1) -> [Range<Int>] {
    let step = max(1, segmentBytes / max(bytesEach, 1) / multiple) * multiple
    return stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
  }
}
