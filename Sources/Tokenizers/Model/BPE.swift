import IngotCore

/// Byte-pair encoding: a piece of text becomes symbols, and neighbours merge, the lowest rank first and
/// of equal ranks the leftmost, until none merges.
///
/// Works on 32-bit symbols in flat memory; pieces of up to 48 symbols by scanning, longer ones with a
/// heap, so that one word of a megabyte takes n log n.
/// Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016; details
/// as Hugging Face tokenizers 0.23, `models/bpe`.
struct BPE: Sendable {
  /// What a piece is first taken apart into.
  enum Alphabet: Sendable {
    /// Bytes: the symbol of each, or `.max` and then what else it becomes.
    case bytes([UInt32], others: [Initial])
    /// Unicode scalars.
    case scalars(ScalarSymbols)
    /// Unicode scalars with a prefix on all but the first and a suffix on the last.
    case affixed(prefix: String, suffix: String, TokenTable)
  }

  /// The alphabet of bytes, with what each begins as.
  static func byteAlphabet(_ initials: [Initial]) -> Alphabet {
    let symbols = initials.map { if case .symbol(let symbol) = $0 { symbol } else { UInt32.max } }
    return .bytes(symbols, others: initials)
  }

  /// The beginning of one unit of text.
  enum Initial: Sendable {
    case symbol(UInt32)
    /// Several symbols: the unit's bytes have tokens of their own.
    case fallback([UInt32])
    case unknown
  }

  /// The symbols of single scalars.
  struct ScalarSymbols: Sendable {
    /// Keyed by scalar and 0; the rank is not used.
    let table: MergeTable
    /// Symbols at and above this are scalars that are no tokens but parts of tokens.
    let firstUntokened: UInt32
    let untokened: [UInt32]
  }

  var alphabet: Alphabet
  var merges: MergeTable
  /// The tokens `<0x00>` to `<0xFF>`, if unknown text becomes bytes; nil for a byte without token.
  var byteTokens: [UInt32?]?
  var unknown: UInt32?
  var fusesUnknown = false
  /// Tokens by raw bytes, if a piece that is a token skips the merges.
  var wholePieces: TokenTable?
  /// Whether no merge joins a scalar other than ▁ with a ▁ after it: then a piece may be cut there.
  var cutsBeforeMetaspace = false

  /// Appends the tokens of a piece.
  func encode(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int], _ workspace: Workspace) {
    if let wholePieces, let id = wholePieces.id(of: piece) {
      ids.append(id)
      return
    }
    guard cutsBeforeMetaspace else { return encodeCached(piece, into: &ids, workspace) }
    // ▁ is E2 96 81.
    var start = 0
    var index = 1
    while index + 2 < piece.count {
      if piece[index] == 0xE2, piece[index + 1] == 0x96, piece[index + 2] == 0x81 {
        let followsOne =
          index >= 3 && piece[index - 3] == 0xE2 && piece[index - 2] == 0x96 && piece[index - 1] == 0x81
        if !followsOne {
          encodeCached(UnsafeBufferPointer(rebasing: piece[start..<index]), into: &ids, workspace)
          start = index
        }
        index += 3
      } else {
        index += 1
      }
    }
    encodeCached(UnsafeBufferPointer(rebasing: piece[start...]), into: &ids, workspace)
  }

  @inline(__always)
  private func encodeCached(
    _ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int], _ workspace: Workspace
  ) {
    guard !piece.isEmpty else { return }
    guard piece.count <= WordCache.maximumBytes else { return merge(piece, into: &ids, workspace) }
    let key = WordCache.Key(piece)
    if workspace.cache.append(key, to: &ids) { return }
    let start = ids.count
    merge(piece, into: &ids, workspace)
    workspace.cache.store(key, ids[start...])
  }

  private func merge(
    _ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int], _ workspace: Workspace
  ) {
    workspace.symbols.removeAll(keepingCapacity: true)
    appendInitial(piece, to: &workspace.symbols)
    let count = workspace.symbols.count
    let merged =
      count <= Self.scanLimit
      ? mergeByScanning(&workspace.symbols, &workspace.ranks) : mergeByHeap(&workspace.symbols)
    appendTokens(workspace.symbols[..<merged], to: &ids)
    workspace.trim()
  }

  /// Symbols as tokens: those that are parts of tokens only become bytes or the unknown token.
  private func appendTokens(_ symbols: ArraySlice<UInt32>, to ids: inout [Int]) {
    guard case .scalars(let scalars) = alphabet, !scalars.untokened.isEmpty else {
      for symbol in symbols { ids.append(Int(symbol)) }
      return
    }
    for symbol in symbols {
      guard symbol >= scalars.firstUntokened else {
        ids.append(Int(symbol))
        continue
      }
      let scalar = Unicode.Scalar(scalars.untokened[Int(symbol - scalars.firstUntokened)]) ?? "\u{FFFD}"
      if let tokens = byteFallback(Array(String(scalar).utf8)) {
        for token in tokens { ids.append(Int(token)) }
      } else if let unknown, !(fusesUnknown && ids.last == Int(unknown)) {
        ids.append(Int(unknown))
      }
    }
  }
}

extension BPE {
  /// Appends the symbols of a piece before any merge.
  private func appendInitial(_ piece: UnsafeBufferPointer<UInt8>, to symbols: inout [UInt32]) {
    var hasUnknown = false
    switch alphabet {
    case .bytes(let known, let others):
      for byte in piece {
        let symbol = known[Int(byte)]
        if symbol != .max, !hasUnknown {
          symbols.append(symbol)
        } else {
          append(others[Int(byte)], &hasUnknown, to: &symbols)
        }
      }
    case .scalars(let scalars):
      let text = ScalarText(piece)
      var position = 0
      while position < text.end {
        let (value, next) = text.scalar(at: position)
        let symbol = scalars.table.merge(value, 0).symbol
        if symbol != .max, !hasUnknown {
          symbols.append(symbol)
        } else {
          let initial: Initial =
            symbol != .max ? .symbol(symbol) : unknownInitial(Array(piece[position..<next]))
          append(initial, &hasUnknown, to: &symbols)
        }
        position = next
      }
    case .affixed(let prefix, let suffix, let table):
      let text = ScalarText(piece)
      var position = 0
      while position < text.end {
        let next = text.scalar(at: position).next
        var unit = Array(piece[position..<next])
        if position > 0 { unit = Array(prefix.utf8) + unit }
        if next == text.end { unit += Array(suffix.utf8) }
        let initial = table.id(of: unit).map { Initial.symbol(UInt32($0)) } ?? unknownInitial(unit)
        append(initial, &hasUnknown, to: &symbols)
        position = next
      }
    }
    if hasUnknown, let unknown { symbols.append(unknown) }
  }

  /// Appends one unit. An unknown one waits until the next known one, as there may be more to fuse with
  /// it; bytes do not end the wait, which is how `tokenizers` does it.
  @inline(__always)
  private func append(_ initial: Initial, _ hasUnknown: inout Bool, to symbols: inout [UInt32]) {
    switch initial {
    case .symbol(let symbol):
      if hasUnknown, let unknown { symbols.append(unknown) }
      hasUnknown = false
      symbols.append(symbol)
    case .fallback(let tokens): symbols += tokens
    case .unknown:
      guard let unknown else { return }
      if hasUnknown, !fusesUnknown { symbols.append(unknown) }
      hasUnknown = true
    }
  }

  /// What a unit without a token of its own becomes.
  func unknownInitial(_ unit: [UInt8]) -> Initial {
    byteFallback(unit).map { .fallback($0) } ?? .unknown
  }

  private func byteFallback(_ unit: [UInt8]) -> [UInt32]? {
    guard let byteTokens else { return nil }
    var tokens: [UInt32] = []
    for byte in unit {
      guard let token = byteTokens[Int(byte)] else { return nil }
      tokens.append(token)
    }
    return tokens
  }
}

/// Memory that encodings use one after another; only one owns it at a time.
final class Workspace: @unchecked Sendable {
  /// Capacity beyond which memory is given back after use.
  private static let keptSymbols = 1 << 16

  let cache = WordCache()
  var symbols: [UInt32] = []
  var ranks: [MergeTable.Merge] = []
  var ids: [Int] = []

  /// Gives back what a very long piece took.
  func trim() {
    if symbols.capacity > Self.keptSymbols { symbols = [] }
  }
}
