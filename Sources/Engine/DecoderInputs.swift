internal import CKernels
internal import IngotCore

/// The flash-form inputs of a decoder's plan, and what attention derives from them.
final class DecoderInputs: @unchecked Sendable {
  /// Most sequences of one forward.
  let sequences: Int
  private let ids: UnsafeMutablePointer<Int64>
  private let positions: UnsafeMutablePointer<Int64>
  private let slots: UnsafeMutablePointer<Int32>
  private let blockTables: UnsafeMutablePointer<Int32>
  private let queryLengths: UnsafeMutablePointer<Int32>
  private let sequenceLengths: UnsafeMutablePointer<Int32>
  private let logitRows: UnsafeMutablePointer<Int64>
  /// Derived: per token its sequence and rotary table, per sequence its first token.
  private let derived: AlignedBuffer
  private let sequenceOf: UnsafeMutablePointer<Int32>
  let tableOf: UnsafeMutablePointer<Int32>
  private let queryStart: UnsafeMutablePointer<Int32>

  init(_ plan: Plan, tokens: Int, sequences: Int, blocks: Int) throws(IngotError) {
    func port<T>(_ name: String, _ type: T.Type, atLeast count: Int) throws(IngotError)
      -> UnsafeMutablePointer<T>
    {
      guard let port = plan.inputs.first(where: { $0.name == name }), port.capacity >= count else {
        throw IngotError(.unsupported, "the graph has no input \"\(name)\" as decoders have it")
      }
      return port.address.assumingMemoryBound(to: type)
    }
    self.sequences = sequences
    ids = try port("input_ids", Int64.self, atLeast: tokens)
    positions = try port("position_ids", Int64.self, atLeast: tokens)
    slots = try port("slots", Int32.self, atLeast: tokens)
    blockTables = try port("block_tables", Int32.self, atLeast: sequences * blocks)
    queryLengths = try port("q_len", Int32.self, atLeast: sequences)
    sequenceLengths = try port("seq_len", Int32.self, atLeast: sequences)
    logitRows = try port("lm_head_indices", Int64.self, atLeast: 1)
    derived = try AlignedBuffer(byteCount: (2 * tokens + sequences + 1) * MemoryLayout<Int32>.stride)
    sequenceOf = derived.base.bindMemory(to: Int32.self, capacity: 2 * tokens + sequences + 1)
    tableOf = sequenceOf + tokens
    queryStart = tableOf + tokens
  }

  /// Writes the inputs of one forward, whose sequences have been extended, and describes them in `batch`.
  func fill(
    _ pieces: [ForwardQueue.Piece], _ items: [ForwardItem], batch: UnsafeMutablePointer<ingot_batch>
  ) -> (tokens: Int, rows: Int, blocks: Int) {
    let blocks = pieces.map { items[$0.item].sequence.blocks.count }.max() ?? 0
    var (token, row) = (0, 0)
    for (index, piece) in pieces.enumerated() {
      let sequence = items[piece.item].sequence
      let first = sequence.count - piece.range.count
      queryStart[index] = Int32(token)
      queryLengths[index] = Int32(piece.range.count)
      sequenceLengths[index] = Int32(sequence.count)
      for (offset, block) in sequence.blocks.enumerated() { blockTables[index * blocks + offset] = block }
      for position in piece.logitPositions {
        logitRows[row] = Int64(token + position - piece.range.lowerBound)
        row += 1
      }
      for (offset, id) in items[piece.item].tokens[piece.range].enumerated() {
        ids[token] = Int64(id)
        positions[token] = Int64(first + offset)
        slots[token] = sequence.slot(first + offset)
        sequenceOf[token] = Int32(index)
        tableOf[token] = Int32(sequence.tableIndex)
        token += 1
      }
    }
    queryStart[pieces.count] = Int32(token)
    batch.pointee = ingot_batch(
      tokens: Int64(token), sequences: Int64(pieces.count), max_blocks: Int64(blocks), positions: positions,
      slots: slots, sequence_of: sequenceOf, q_start: queryStart, seq_len: sequenceLengths,
      block_tables: blockTables)
    return (token, row, blocks)
  }
}
