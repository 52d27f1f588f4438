import IngotCore

/// Reads the BPE model of a tokenizer.json.
struct BPEReader {
  private(set) var vocabulary: TokenTable
  private let node: JSONNode
  private let prefix: String
  private let suffix: String

  /// Reads the vocabulary.
  /// - Throws: `.tokenizer` for ids that are missing, repeated or out of range.
  init(_ node: JSONNode) throws(IngotError) {
    self.node = node
    prefix = try node.string("continuing_subword_prefix") ?? ""
    suffix = try node.string("end_of_word_suffix") ?? ""
    let vocabularyNode = try node.required("vocab")
    guard let members = vocabularyNode.value.object?.members else {
      throw vocabularyNode.error("an object from tokens to ids should be here")
    }
    vocabulary = TokenTable(capacity: members.count + 1024)
    for member in members {
      guard case .int(let id) = member.value else {
        throw vocabularyNode.error("\"\(member.key)\" has no integer as its id")
      }
      do { try vocabulary.add(member.key, id: id, expected: members.count) } catch {
        throw vocabularyNode.error(error.what)
      }
    }
  }

  /// Reads the merges and the options.
  /// - Parameter isByteLevel: whether the vocabulary is written in GPT-2's alphabet, and the model is
  ///   to work on the bytes themselves.
  /// - Throws: `.tokenizer` for merges of tokens that are not in the vocabulary.
  func model(isByteLevel: Bool) throws(IngotError) -> BPE {
    let merges = try readMerges()
    var unknown: UInt32?
    if let token = try node.string("unk_token") {
      guard let id = vocabulary.id(of: token) else {
        throw node.error("the unknown token \"\(token)\" is not in the vocabulary")
      }
      unknown = UInt32(id)
    }
    var bpe = BPE(alphabet: BPE.byteAlphabet([]), merges: merges, unknown: unknown)
    bpe.fusesUnknown = try node.bool("fuse_unk", default: false)
    if try node.bool("byte_fallback", default: false) { bpe.byteTokens = vocabulary.byteTokens() }
    if !prefix.isEmpty || !suffix.isEmpty {
      guard !isByteLevel else { throw node.unsupported("affixes with a byte-level vocabulary") }
      bpe.alphabet = .affixed(prefix: prefix, suffix: suffix, vocabulary)
    } else if isByteLevel {
      bpe.alphabet = BPE.byteAlphabet(
        ByteLevelAlphabet.scalars.map { scalar in
          let unit = Array(String(scalar).utf8)
          return vocabulary.id(of: unit).map { .symbol(UInt32($0)) } ?? bpe.unknownInitial(unit)
        })
    } else {
      bpe.alphabet = .scalars(vocabulary.scalarSymbols())
      bpe.cutsBeforeMetaspace = bpe.canCutBeforeMetaspace(vocabulary)
    }
    return bpe
  }

  private func readMerges() throws(IngotError) -> MergeTable {
    let mergesNode = try node.required("merges")
    guard let elements = mergesNode.value.array else {
      throw mergesNode.error("an array of merges should be here")
    }
    guard elements.count < Int(Int32.max) else { throw mergesNode.error("too many merges") }
    let table = MergeTable(capacity: elements.count)
    var joined: [UInt8] = []
    for (rank, element) in elements.enumerated() {
      let found: Found
      switch element {
      case .string(var text): found = text.withUTF8 { find(joint: $0, &joined) }
      case .array(let parts):
        if parts.count == 2, var left = parts[0].string, var right = parts[1].string {
          found = left.withUTF8 { left in right.withUTF8 { right in find(left, right, &joined) } }
        } else {
          found = .notPair
        }
      case .null, .bool, .int, .double, .object: found = .notPair
      }
      switch found {
      case .merge(let left, let right, let symbol):
        table.set(UInt32(left), UInt32(right), rank: UInt32(rank), symbol: UInt32(symbol))
      case .notPair: throw mergesNode.error("merge \(rank) is not a pair of tokens")
      case .missing(let left, let right):
        throw mergesNode.error(
          "merge \(rank) of \"\(left)\" and \"\(right)\" needs a token that is not in the vocabulary")
      }
    }
    return table
  }

  /// What the text of a merge says.
  private enum Found {
    case merge(left: Int, right: Int, symbol: Int)
    case notPair
    case missing(left: String, right: String)
  }

  /// Looks up a merge written as two tokens with a space between.
  private func find(joint: UnsafeBufferPointer<UInt8>, _ joined: inout [UInt8]) -> Found {
    guard let space = joint.firstIndex(of: 0x20) else { return .notPair }
    let left = UnsafeBufferPointer(rebasing: joint[..<space])
    let right = UnsafeBufferPointer(rebasing: joint[(space + 1)...])
    return right.contains(0x20) ? .notPair : find(left, right, &joined)
  }

  private func find(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>, _ joined: inout [UInt8]
  ) -> Found {
    joined.removeAll(keepingCapacity: true)
    joined.append(contentsOf: left)
    joined.append(contentsOf: UnsafeBufferPointer(rebasing: right.dropFirst(prefix.utf8.count)))
    let symbol = joined.withUnsafeBufferPointer { vocabulary.id(of: $0) }
    if let left = vocabulary.id(of: left), let right = vocabulary.id(of: right), let symbol {
      return .merge(left: left, right: right, symbol: symbol)
    }
    return .missing(
      left: String(decoding: left, as: UTF8.self), right: String(decoding: right, as: UTF8.self))
  }
}

extension TokenTable {
  /// The ids of `<0x00>` to `<0xFF>`.
  func byteTokens() -> [UInt32?] {
    (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return id(of: "<0x" + (byte < 16 ? "0" : "") + digits + ">").map { UInt32($0) }
    }
  }

  /// The ids of the tokens that are one scalar.
  func scalarSymbols() -> BPE.ScalarSymbols {
    let table = MergeTable(capacity: 8192)
    for id in 0..<idLimit where contains(id: id) {
      let token = self[id]
      guard let first = token.first, token.count <= 4 else { continue }
      let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      guard token.count == length, self.id(of: token) == id else { continue }
      let value = token.withUnsafeBufferPointer { ScalarText($0).scalar(at: 0).value }
      table.set(value, 0, rank: 0, symbol: UInt32(id))
    }
    return BPE.ScalarSymbols(table: table, firstUntokened: .max, untokened: [])
  }
}

extension BPE {
  /// Whether no merge joins a token that ends in another scalar than ▁ with one that begins with ▁.
  func canCutBeforeMetaspace(_ vocabulary: TokenTable) -> Bool {
    let mark: [UInt8] = [0xE2, 0x96, 0x81]
    guard case .scalars(let scalars) = alphabet, scalars.table.merge(0x2581, 0).symbol != .max else {
      return false
    }
    var startsWithMark = [Bool](repeating: false, count: vocabulary.idLimit)
    var endsWithMark = startsWithMark
    for id in 0..<vocabulary.idLimit {
      startsWithMark[id] = vocabulary[id].starts(with: mark)
      endsWithMark[id] = vocabulary[id].suffix(3).elementsEqual(mark)
    }
    var canCut = true
    merges.forEachPair { left, right in
      guard Int(left) < endsWithMark.count, Int(right) < startsWithMark.count else {
        canCut = false
        return
      }
      if startsWithMark[Int(right)], !endsWithMark[Int(left)] { canCut = false }
    }
    return canCut
  }
}
