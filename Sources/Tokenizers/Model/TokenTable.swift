import IngotCore

/// The strings of a vocabulary by id and ids by string: bytes in one buffer, an open-addressing index.
///
/// A Swift dictionary of 150,000 strings takes longer to build than the rest of a tokenizer.
struct TokenTable: Sendable {
  /// Largest id that a vocabulary may have, however few tokens it has.
  static let idAllowance = 1 << 20

  private var bytes: [UInt8] = []
  /// Start and end of each id's bytes; both 0 and `isPresent` false for a hole.
  private var spans: [(start: UInt32, end: UInt32)] = []
  private var present: [Bool] = []
  /// The upper half of a token's hash and its id plus one, or 0 for a free slot; their number is a power of
  /// two.
  private var slots: [UInt64]
  /// Number of tokens indexed by their string.
  private(set) var count = 0

  /// Reserves room for a number of tokens.
  init(capacity: Int) {
    var slotCount = 16
    while slotCount < capacity * 2 { slotCount *= 2 }
    slots = [UInt64](repeating: 0, count: slotCount)
    spans.reserveCapacity(capacity)
    present.reserveCapacity(capacity)
    bytes.reserveCapacity(capacity * 8)
  }

  /// One more than the largest id.
  var idLimit: Int { spans.count }

  /// Whether a token has the id.
  func contains(id: Int) -> Bool { id >= 0 && id < present.count && present[id] }

  /// The bytes of a token; empty for none.
  subscript(id: Int) -> ArraySlice<UInt8> {
    guard contains(id: id) else { return [] }
    return bytes[Int(spans[id].start)..<Int(spans[id].end)]
  }

  /// The text of a token; nil when there is none.
  func string(_ id: Int) -> String? {
    contains(id: id) ? String(decoding: self[id], as: UTF8.self) : nil
  }

  /// Adds a token under an id.
  /// - Parameter indexed: whether `id(of:)` shall find it; a later token of the same bytes is not found.
  /// - Throws: `.tokenizer` when the id is taken, negative or absurdly large.
  mutating func add(
    _ token: UnsafeBufferPointer<UInt8>, id: Int, indexed: Bool = true, expected: Int
  ) throws(IngotError) {
    guard id >= 0, id < max(Self.idAllowance, 4 * expected) else {
      throw IngotError(.tokenizer, "the token id \(id) is out of range for \(expected) tokens")
    }
    guard bytes.count + token.count < Int(UInt32.max) else {
      throw IngotError(.tokenizer, "the vocabulary takes more than 4 GiB")
    }
    while spans.count <= id {
      spans.append((0, 0))
      present.append(false)
    }
    guard !present[id] else {
      let other = String(decoding: self[id], as: UTF8.self)
      throw IngotError(
        .tokenizer,
        "\"\(String(decoding: token, as: UTF8.self))\" and \"\(other)\" have the same token id \(id)")
    }
    let start = UInt32(bytes.count)
    bytes.append(contentsOf: token)
    spans[id] = (start, UInt32(bytes.count))
    present[id] = true
    if indexed { index(id, Hash.of(token)) }
  }

  /// Adds a token under an id.
  /// - Throws: as the overload for bytes.
  mutating func add(_ token: String, id: Int, indexed: Bool = true, expected: Int) throws(IngotError) {
    var token = token
    let result: Result<Void, IngotError> = token.withUTF8 { utf8 in
      do throws(IngotError) {
        return .success(try add(utf8, id: id, indexed: indexed, expected: expected))
      } catch { return .failure(error) }
    }
    try result.get()
  }

  private mutating func index(_ id: Int, _ hash: UInt64) {
    if (count + 1) * 2 > slots.count { grow() }
    let (start, end) = spans[id]
    let isNew = bytes.withUnsafeBufferPointer { bytes in
      find(UnsafeBufferPointer(rebasing: bytes[Int(start)..<Int(end)]), hash) == nil
    }
    guard isNew else { return }
    insert((hash & 0xFFFF_FFFF_0000_0000) | UInt64(id + 1), at: hash)
    count += 1
  }

  private mutating func insert(_ entry: UInt64, at hash: UInt64) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = entry
  }

  private mutating func grow() {
    let entries = slots.filter { $0 != 0 }
    slots = [UInt64](repeating: 0, count: slots.count * 2)
    for entry in entries {
      let token = self[Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1]
      insert(entry, at: token.withUnsafeBufferPointer { Hash.of($0) })
    }
  }

  /// The id of some bytes, if they are a token.
  func id(of token: UnsafeBufferPointer<UInt8>) -> Int? { find(token, Hash.of(token)) }

  private func find(_ token: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int? {
    slots.withUnsafeBufferPointer { slots in
      spans.withUnsafeBufferPointer { spans in
        bytes.withUnsafeBufferPointer { bytes in
          let mask = slots.count &- 1
          var slot = Int(truncatingIfNeeded: hash) & mask
          while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32 {
              let id = Int(slots[slot] & 0xFFFF_FFFF) &- 1
              let (start, end) = (Int(spans[id].start), Int(spans[id].end))
              if end &- start == token.count {
                var offset = 0
                while offset < token.count, bytes[start &+ offset] == token[offset] { offset &+= 1 }
                if offset == token.count { return id }
              }
            }
            slot = (slot &+ 1) & mask
          }
          return nil
        }
      }
    }
  }

  /// The id of a string, if it is a token.
  func id(of token: String) -> Int? {
    var token = token
    return token.withUTF8 { id(of: $0) }
  }

  /// The id of some bytes, if they are a token.
  func id(of token: some Collection<UInt8>) -> Int? {
    if let result = token.withContiguousStorageIfAvailable({ id(of: $0) }) { return result }
    return Array(token).withUnsafeBufferPointer { id(of: $0) }
  }
}

/// Mixing of bytes and words for open-addressing tables; fast, not secure: tables are built from a
/// model's files, and the caches keyed by user text hold one entry for a slot.
enum Hash {
  @inline(__always) static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }

  @inline(__always) static func of(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: bytes.count) &* 0xD6E8_FEB8_6659_FD93
    var offset = 0
    let raw = UnsafeRawBufferPointer(bytes)
    while bytes.count &- offset >= 8 {
      hash = mix(hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset &+= 8
    }
    var rest: UInt64 = 0
    while offset < bytes.count {
      rest = rest << 8 | UInt64(bytes[offset])
      offset &+= 1
    }
    return mix(hash ^ rest)
  }
}
