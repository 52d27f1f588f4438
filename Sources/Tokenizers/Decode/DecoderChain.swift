import IngotCore

/// Runs tokens through decoder stages as they come and hands out the text that is certain.
///
/// Between stages flow fragments of tokens and the ends of tokens, so a stage that joins tokens need
/// not wait for the last. What comes out does not depend on when `push` is called.
struct DecoderChain: Sendable {
  /// A stage with what it remembers.
  fileprivate struct Runner: Sendable {
    let stage: DecoderStage
    /// Fragments of the current token, for a stage that needs it whole.
    var partial: [UInt8] = []
    /// What cannot go on yet: a run of byte tokens, a token, the end of a token.
    var held: [UInt8] = []
    var isHolding = false
    var repair = UTF8Repair()
    /// Number of tokens that ended before, or, for `strip`, scalars already taken off the front.
    var count = 0
    /// Whether part of the current token has gone on.
    var isOpen = false
  }

  fileprivate var runners: [Runner]
  private var output: [UInt8] = []
  /// Longest that a token, or all of a text joined, may become in a stage.
  private static let maximumToken = 1 << 28

  init(_ stages: [DecoderStage]) { runners = stages.map { Runner(stage: $0) } }

  /// Takes one token.
  /// - Returns: the text it completes.
  /// - Throws: `.limit` when a pattern backtracks without end.
  mutating func push(_ token: ArraySlice<UInt8>) throws(IngotError) -> [UInt8] {
    if runners.count == 1, case .bytes = runners[0].stage {
      runners[0].repair.push(token, to: &output)
    } else {
      try feed(0, token, ends: true)
    }
    defer { output.removeAll(keepingCapacity: true) }
    return output
  }

  /// Ends the text.
  /// - Returns: what was held back.
  /// - Throws: as `push`.
  mutating func finish() throws(IngotError) -> [UInt8] {
    for index in runners.indices { try finish(index) }
    defer { output.removeAll(keepingCapacity: true) }
    return output
  }

  /// Passes a fragment of a token, and maybe its end, to a stage; past the last they are text.
  fileprivate mutating func feed(_ index: Int, _ bytes: ArraySlice<UInt8>, ends: Bool) throws(IngotError) {
    guard index < runners.count else {
      output += bytes
      return
    }
    switch runners[index].stage {
    case .fuse: try feed(index + 1, bytes, ends: false)
    case .bytes:
      var result: [UInt8] = []
      runners[index].repair.push(bytes, to: &result)
      try feed(index + 1, result[...], ends: false)
    case .spaced: try feedSpaced(index, bytes, ends)
    case .strip(let content, let start, let stop): try feedStrip(index, bytes, ends, content, start, stop)
    case .byteLevel, .byteFallback, .replace, .metaspace, .wordSuffix:
      guard ends else {
        runners[index].partial += bytes
        return
      }
      if runners[index].partial.isEmpty { return try feedToken(index, bytes) }
      let token = runners[index].partial + bytes
      runners[index].partial = []
      try feedToken(index, token[...])
    }
  }

  /// Passes a whole token to a stage that needs it so.
  private mutating func feedToken(_ index: Int, _ token: ArraySlice<UInt8>) throws(IngotError) {
    let next = index + 1
    var result: [UInt8] = []
    switch runners[index].stage {
    case .byteLevel:
      runners[index].repair.push(ByteLevelAlphabet.decode(token) ?? Array(token), to: &result)
      try feed(next, result[...], ends: false)
    case .byteFallback(let repair): try feedByteFallback(index, token, repair)
    case .replace(let pattern, let content):
      result = try pattern.replacing(Array(token), with: content, limit: Self.maximumToken)
      try feed(next, result[...], ends: true)
    case .metaspace(let replacement, let keepsFirst):
      let isDropped = runners[index].count == 0 && !keepsFirst
      runners[index].count = 1
      result = try SplitPattern.literal(replacement).replacing(
        Array(token), with: isDropped ? [] : [0x20], limit: Self.maximumToken)
      try feed(next, result[...], ends: true)
    case .wordSuffix:
      try flushWord(index, suffixBecomes: [0x20])
      runners[index].held = Array(token)
      runners[index].isHolding = true
    case .fuse, .bytes, .strip, .spaced: break
    }
  }

  /// Ends the text for a stage, after those before it.
  private mutating func finish(_ index: Int) throws(IngotError) {
    var rest: [UInt8] = []
    switch runners[index].stage {
    case .fuse: try feed(index + 1, [], ends: true)
    case .byteLevel, .bytes:
      runners[index].repair.finish(to: &rest)
      try feed(index + 1, rest[...], ends: true)
    case .byteFallback(let repair):
      try flushByteRun(index, repair)
      runners[index].repair.finish(to: &rest)
      if !rest.isEmpty { try feed(index + 1, rest[...], ends: true) }
    case .wordSuffix: try flushWord(index, suffixBecomes: [])
    case .replace, .metaspace, .strip, .spaced: break
    }
  }

  private mutating func flushWord(_ index: Int, suffixBecomes replacement: [UInt8]) throws(IngotError) {
    guard runners[index].isHolding, case .wordSuffix(let suffix) = runners[index].stage else { return }
    runners[index].isHolding = false
    let word = try SplitPattern.literal(suffix).replacing(
      runners[index].held, with: replacement, limit: Self.maximumToken)
    try feed(index + 1, word[...], ends: true)
  }

  private mutating func feedSpaced(_ index: Int, _ bytes: ArraySlice<UInt8>, _ ends: Bool) throws(IngotError)
  {
    if runners[index].count > 0, !runners[index].isOpen { try feed(index + 1, [0x20], ends: false) }
    runners[index].isOpen = !ends
    runners[index].count = 1
    try feed(index + 1, bytes, ends: ends)
  }
}

extension DecoderChain {
  /// `<0x0A>` to the byte it stands for.
  static func byte(of token: ArraySlice<UInt8>) -> UInt8? {
    let start = token.startIndex
    guard token.count == 6, token.starts(with: "<0x".utf8), token.last == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: token[start + 3..<start + 5], as: UTF8.self), radix: 16)
  }

  private mutating func feedByteFallback(
    _ index: Int, _ token: ArraySlice<UInt8>, _ repair: DecoderStage.ByteRepair
  ) throws(IngotError) {
    let byte = Self.byte(of: token)
    switch repair {
    case .maximalParts:
      var result: [UInt8] = []
      if let byte {
        runners[index].repair.push(byte, to: &result)
      } else {
        runners[index].repair.push(token, to: &result)
      }
      try feed(index + 1, result[...], ends: true)
    case .wholeRun, .eachByte:
      if let byte {
        runners[index].held.append(byte)
      } else {
        try flushByteRun(index, repair)
        try feed(index + 1, token, ends: true)
      }
    }
  }

  /// Passes a run of byte tokens on.
  private mutating func flushByteRun(_ index: Int, _ repair: DecoderStage.ByteRepair) throws(IngotError) {
    let run = runners[index].held
    guard !run.isEmpty else { return }
    runners[index].held = []
    if String(validating: run, as: UTF8.self) != nil { return try feed(index + 1, run[...], ends: true) }
    switch repair {
    case .wholeRun:
      for _ in run { try feed(index + 1, UTF8Repair.replacement[...], ends: true) }
    case .eachByte, .maximalParts:
      var position = 0
      while position < run.count {
        let length = (1...4).first {
          position + $0 <= run.count
            && String(validating: run[position..<position + $0], as: UTF8.self) != nil
        }
        let part = length.map { run[position..<position + $0] } ?? UTF8Repair.replacement[...]
        try feed(index + 1, part, ends: true)
        position += length ?? 1
      }
    }
  }

  private mutating func feedStrip(
    _ index: Int, _ bytes: ArraySlice<UInt8>, _ ends: Bool, _ content: [UInt8], _ start: Int, _ stop: Int
  ) throws(IngotError) {
    var rest = bytes
    if !content.isEmpty {
      while runners[index].count < start, !rest.isEmpty {
        if rest.starts(with: content) {
          rest = rest.dropFirst(content.count)
          runners[index].count += 1
        } else {
          runners[index].count = start
        }
      }
      if stop > 0 {
        // The last scalars may have to go: they wait for what follows.
        rest = (runners[index].held + rest)[...]
        var cut = 0
        var end = rest.endIndex
        while cut < stop, end - rest.startIndex >= content.count,
          rest[end - content.count..<end].elementsEqual(content)
        {
          end -= content.count
          cut += 1
        }
        runners[index].held = ends ? [] : Array(rest[end...])
        rest = rest[..<end]
      }
    }
    if ends { runners[index].count = 0 }
    try feed(index + 1, rest, ends: ends)
  }
}
