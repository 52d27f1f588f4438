import IngotCore

/// A regular expression compiled to instructions for `RegexMatcher`.
struct RegexProgram: Sendable {
  /// Longest program accepted: counted groups are unrolled, so a short pattern can ask for much.
  static let maximumLength = 20_000

  enum Instruction: Sendable {
    /// Consumes one scalar of a set.
    case set(Int)
    /// Consumes between `min` and `max` scalars of a set.
    case run(set: Int, min: Int, max: Int, RegexNode.Greed)
    /// Goes on at `first`; if that fails, at `second`.
    case split(first: Int, second: Int)
    case jump(Int)
    /// Matches the instructions up to `end` on their own, then goes on there.
    case look(end: Int, behind: Int?, negative: Bool)
    /// As a positive look-ahead, but consuming what matched.
    case atomic(end: Int)
    case assert(RegexNode.Assertion)
    /// Remembers the position at which a loop's body begins.
    case mark(Int)
    /// Leaves the loop when its body matched nothing.
    case leaveIfEmpty(slot: Int, to: Int)
    case accept
  }

  private(set) var instructions: [Instruction] = []
  private(set) var sets: [ScalarSet] = []
  private(set) var slotCount = 0

  /// Compiles a pattern.
  /// - Throws: as `RegexParser.parse`, and `.unsupported` when the program would be too long.
  init(_ pattern: String) throws(IngotError) {
    try emit(try RegexParser.parse(pattern))
    try append(.accept)
  }

  private mutating func append(_ instruction: Instruction) throws(IngotError) {
    guard instructions.count < Self.maximumLength else {
      throw IngotError(.unsupported, "a regular expression needs more than \(Self.maximumLength) steps")
    }
    instructions.append(instruction)
  }

  private mutating func index(of set: ScalarSet) -> Int {
    if let known = sets.firstIndex(of: set) { return known }
    sets.append(set)
    return sets.count - 1
  }

  private mutating func emit(_ node: RegexNode) throws(IngotError) {
    switch node {
    case .empty: break
    case .set(let set): try append(.set(index(of: set)))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .alternation(let nodes): try emitAlternation(nodes)
    case .repetition(let node, let min, let max, let greed): try emitRepetition(node, min, max, greed)
    case .ahead(let node, let negative):
      try emitIsolated(node) { .look(end: $0, behind: nil, negative: negative) }
    case .behind(let node, let length, let negative):
      try emitIsolated(node) { .look(end: $0, behind: length, negative: negative) }
    case .atomic(let node): try emitIsolated(node) { .atomic(end: $0) }
    case .assertion(let kind): try append(.assert(kind))
    }
  }

  private mutating func emitIsolated(
    _ node: RegexNode, _ make: (Int) -> Instruction
  ) throws(IngotError) {
    let start = instructions.count
    try append(.accept)
    try emit(node)
    try append(.accept)
    instructions[start] = make(instructions.count)
  }

  private mutating func emitAlternation(_ nodes: [RegexNode]) throws(IngotError) {
    var jumps: [Int] = []
    for (index, node) in nodes.enumerated() {
      guard index < nodes.count - 1 else {
        try emit(node)
        break
      }
      let split = instructions.count
      try append(.accept)
      try emit(node)
      jumps.append(instructions.count)
      try append(.accept)
      instructions[split] = .split(first: split + 1, second: instructions.count)
    }
    for jump in jumps { instructions[jump] = .jump(instructions.count) }
  }

  private mutating func emitRepetition(
    _ node: RegexNode, _ min: Int, _ max: Int?, _ greed: RegexNode.Greed
  ) throws(IngotError) {
    if case .set(let set) = node {
      return try append(.run(set: index(of: set), min: min, max: max ?? .max, greed))
    }
    if greed == .possessive {
      return try emit(.atomic(.repetition(node, min: min, max: max, .greedy)))
    }
    for _ in 0..<min { try emit(node) }
    guard let max else { return try emitLoop(node, greed) }
    var splits: [Int] = []
    for _ in min..<max {
      splits.append(instructions.count)
      try append(.accept)
      try emit(node)
    }
    for split in splits {
      instructions[split] = Self.choice(body: split + 1, exit: instructions.count, greed)
    }
  }

  private mutating func emitLoop(_ node: RegexNode, _ greed: RegexNode.Greed) throws(IngotError) {
    let slot = slotCount
    slotCount += 1
    let split = instructions.count
    try append(.accept)
    try append(.mark(slot))
    try emit(node)
    let check = instructions.count
    try append(.accept)
    try append(.jump(split))
    instructions[split] = Self.choice(body: split + 1, exit: instructions.count, greed)
    instructions[check] = .leaveIfEmpty(slot: slot, to: instructions.count)
  }

  private static func choice(body: Int, exit: Int, _ greed: RegexNode.Greed) -> Instruction {
    greed == .lazy ? .split(first: exit, second: body) : .split(first: body, second: exit)
  }
}
