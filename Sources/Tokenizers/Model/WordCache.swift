/// Remembers the tokens of short pieces, one piece for each slot: a bounded table in which a new piece
/// displaces the old. Owned by one encoding at a time.
final class WordCache {
  /// Longest piece kept, in bytes.
  static let maximumBytes = 32
  /// Most tokens kept for a piece.
  static let maximumTokens = 6
  private static let slotCount = 1 << 14

  /// One cache line.
  private struct Slot {
    var key: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var tokens: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0)
    var length: UInt32 = 0
    var count: UInt32 = 0
  }

  /// A piece as the table compares it.
  struct Key {
    fileprivate var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    fileprivate var length: UInt32
    fileprivate var slot: Int

    /// - Precondition: 1 to `maximumBytes` bytes.
    @inline(__always) init(_ piece: UnsafeBufferPointer<UInt8>) {
      length = UInt32(truncatingIfNeeded: piece.count)
      slot = 0
      let raw = UnsafeRawPointer(piece.baseAddress!)
      let count = piece.count
      if count >= 8 {
        words.0 = raw.loadUnaligned(as: UInt64.self)
        if count >= 16 {
          words.1 = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
          if count >= 24 { words.2 = raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self) }
        }
        // The last eight bytes; with the length, all are covered.
        words.3 = raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      } else {
        var word: UInt64 = 0
        for index in 0..<count { word = word << 8 | UInt64(piece[index]) }
        words.0 = word
      }
      var hash = Hash.mix(words.0 ^ UInt64(length) << 56)
      if count > 8 { hash = Hash.mix(hash ^ words.3) }
      if count > 16 { hash = Hash.mix(hash ^ words.1 ^ words.2 &* 31) }
      slot = Int(truncatingIfNeeded: hash) & (WordCache.slotCount - 1)
    }
  }

  private let slots: UnsafeMutablePointer<Slot>

  init() {
    slots = .allocate(capacity: Self.slotCount)
    slots.initialize(repeating: Slot(), count: Self.slotCount)
  }

  deinit { slots.deallocate() }

  /// Appends the tokens kept for a piece; false when there are none.
  @inline(__always) func append(_ key: Key, to ids: inout [Int]) -> Bool {
    let slot = slots + key.slot
    guard slot.pointee.length == key.length, slot.pointee.key == key.words else { return false }
    ids.append(Int(slot.pointee.tokens.0))
    guard slot.pointee.count > 1 else { return true }
    withUnsafePointer(to: &slot.pointee.tokens) { pointer in
      pointer.withMemoryRebound(to: UInt32.self, capacity: Self.maximumTokens) { tokens in
        for index in 1..<Int(slot.pointee.count) { ids.append(Int(tokens[index])) }
      }
    }
    return true
  }

  /// Keeps the tokens of a piece, if they are few.
  func store(_ key: Key, _ tokens: ArraySlice<Int>) {
    guard !tokens.isEmpty, tokens.count <= Self.maximumTokens else { return }
    let slot = slots + key.slot
    slot.pointee.key = key.words
    slot.pointee.length = key.length
    slot.pointee.count = UInt32(tokens.count)
    withUnsafeMutablePointer(to: &slot.pointee.tokens) { pointer in
      pointer.withMemoryRebound(to: UInt32.self, capacity: Self.maximumTokens) { target in
        for (index, token) in tokens.enumerated() { target[index] = UInt32(token) }
      }
    }
  }
}
