internal import CKernels
internal import Graph
internal import IngotCore

/// The flash-form inputs of a network with paged attention, checked before attention follows them into memory.
final class PagedInputs {
  private let slotCount: Int
  private let positions: Plan.Port
  private let slots: Plan.Port
  private let blockTables: Plan.Port
  private let queryLengths: Plan.Port
  private let sequenceLengths: Plan.Port
  private let sequenceOf: UnsafeMutablePointer<Int32>
  private let queryStart: UnsafeMutablePointer<Int32>
  private let derived: AlignedBuffer

  /// - Throws: `.argument` when the graph's inputs are not named as `Batch` names them.
  init(_ plan: Plan, slotCount: Int) throws(IngotError) {
    func port(_ name: String, _ dtype: DType, rank: Int) throws(IngotError) -> Plan.Port {
      guard let port = plan.inputs.first(where: { $0.name == name }), port.type.dtype == dtype,
        port.type.rank == rank
      else {
        throw IngotError(
          .argument, "paged attention needs an input \"\(name)\" of type \(dtype) with \(rank) dims",
          hint: "use the tensors of Batch()")
      }
      return port
    }
    self.slotCount = slotCount
    positions = try port("position_ids", .i64, rank: 1)
    slots = try port("slots", .i32, rank: 1)
    blockTables = try port("block_tables", .i32, rank: 2)
    queryLengths = try port("q_len", .i32, rank: 1)
    sequenceLengths = try port("seq_len", .i32, rank: 1)
    let (tokens, sequences) = (slots.capacity, queryLengths.capacity)
    guard positions.capacity == tokens, sequenceLengths.capacity == sequences,
      blockTables.extents[0].value(Sizes()) == sequences
    else { throw IngotError(.shape, "the inputs of paged attention disagree in tokens or sequences") }
    derived = try AlignedBuffer(byteCount: (tokens + sequences + 1) * MemoryLayout<Int32>.stride)
    sequenceOf = derived.base.bindMemory(to: Int32.self, capacity: tokens + sequences + 1)
    queryStart = sequenceOf + tokens
  }

  /// Checks the values of this forward and describes them to the kernels.
  /// - Throws: `.argument` naming the input and element at fault.
  func fill(_ batch: UnsafeMutablePointer<ingot_batch>) throws(IngotError) {
    let lengths = queryLengths.address.assumingMemoryBound(to: Int32.self)
    let totals = sequenceLengths.address.assumingMemoryBound(to: Int32.self)
    let tables = blockTables.address.assumingMemoryBound(to: Int32.self)
    let slotValues = slots.address.assumingMemoryBound(to: Int32.self)
    let positionValues = positions.address.assumingMemoryBound(to: Int64.self)
    let (tokens, sequences) = (slots.capacity, queryLengths.capacity)
    let blocks = blockTables.extents[1].value(Sizes())
    func refuse(_ name: String, _ index: Int, _ value: Int, _ what: String) -> IngotError {
      IngotError(.argument, "element \(index) of \"\(name)\" is \(value): \(what)")
    }
    var token = 0
    for sequence in 0..<sequences {
      let (length, total) = (Int(lengths[sequence]), Int(totals[sequence]))
      guard length >= 0, token + length <= tokens else {
        throw refuse("q_len", sequence, length, "there are \(tokens) tokens in all")
      }
      guard total >= length, total <= blocks * KVCache.pageTokens else {
        throw refuse(
          "seq_len", sequence, total, "between \(length) and \(blocks * KVCache.pageTokens) are possible")
      }
      for block in 0..<(total + KVCache.pageTokens - 1) / KVCache.pageTokens {
        let page = Int(tables[sequence * blocks + block])
        guard page >= 0, page < slotCount / KVCache.pageTokens else {
          throw refuse(
            "block_tables", sequence * blocks + block, page,
            "the cache has \(slotCount / KVCache.pageTokens) pages")
        }
      }
      queryStart[sequence] = Int32(token)
      for index in token..<token + length {
        sequenceOf[index] = Int32(sequence)
        guard positionValues[index] == Int64(total - length + index - token) else {
          throw refuse(
            "position_ids", index, Int(positionValues[index]),
            "the token's place in its sequence is \(total - length + index - token)")
        }
        guard slotValues[index] >= 0, slotValues[index] < slotCount else {
          throw refuse("slots", index, Int(slotValues[index]), "the cache has \(slotCount)")
        }
      }
      token += length
    }
    guard token == tokens else { throw refuse("q_len", sequences - 1, token, "\(tokens) tokens are given") }
    queryStart[sequences] = Int32(token)
    batch.pointee = ingot_batch(
      tokens: Int64(tokens), sequences: Int64(sequences), max_blocks: Int64(blocks),
      positions: UnsafePointer(positionValues), slots: UnsafePointer(slotValues), sequence_of: sequenceOf,
      q_start: queryStart, seq_len: totals, block_tables: tables)
  }
}
