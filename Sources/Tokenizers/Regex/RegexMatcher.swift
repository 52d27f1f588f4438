import IngotCore

/// Executes a `RegexProgram` on a text by backtracking, on a stack of its own and within a bound on the
/// steps taken, so that no pattern and no text can hang or exhaust the process.
struct RegexMatcher {
  /// Steps granted to a search through a text: some for each byte and some to begin with.
  static func stepLimit(byteCount: Int) -> Int { 20_000_000 + 500 * byteCount }
  /// Most choices remembered at a time.
  static let maximumChoices = 4_000_000

  /// What to do when the current path fails.
  private struct Choice {
    enum Kind {
      /// Goes on at `instruction`, `position`.
      case resume
      /// Gives one scalar of a greedy run back, down to `limit`.
      case shrink
      /// Lets a lazy run take one scalar more, `limit` times at most.
      case grow(set: Int)
      /// Restores the loop slot `instruction`.
      case restore
    }
    var kind: Kind
    var instruction: Int
    var position: Int
    var limit: Int
  }

  let program: RegexProgram
  let text: ScalarText
  private var choices: [Choice] = []
  private var slots: [Int]
  private var steps: Int

  init(_ program: RegexProgram, _ text: ScalarText) {
    (self.program, self.text) = (program, text)
    slots = [Int](repeating: -1, count: program.slotCount)
    steps = Self.stepLimit(byteCount: text.end)
  }

  /// Where a match that begins at a position ends; nil when none begins there.
  /// - Throws: `.limit` when the search takes too many steps.
  mutating func match(at position: Int) throws(IngotError) -> Int? {
    choices.removeAll(keepingCapacity: true)
    return try run(from: 0, at: position)
  }

  private func limitError() -> IngotError {
    IngotError(
      .limit, "a split pattern backtracks too much on this text of \(text.end) bytes",
      hint: "the pattern of this tokenizer is not linear; send shorter texts")
  }

  private mutating func push(
    _ kind: Choice.Kind, _ instruction: Int, _ position: Int, limit: Int = 0
  ) throws(IngotError) {
    guard choices.count < Self.maximumChoices else { throw limitError() }
    choices.append(Choice(kind: kind, instruction: instruction, position: position, limit: limit))
  }

  private mutating func run(from start: Int, at origin: Int) throws(IngotError) -> Int? {
    let bottom = choices.count
    var (pc, position) = (start, origin)
    while true {
      steps -= 1
      if steps < 0 { throw limitError() }
      var failed = false
      switch program.instructions[pc] {
      case .accept:
        choices.removeSubrange(bottom...)
        return position
      case .set(let set):
        if position < text.end {
          let (value, next) = text.scalar(at: position)
          if program.sets[set].contains(value, text.classes) {
            (pc, position) = (pc + 1, next)
          } else {
            failed = true
          }
        } else {
          failed = true
        }
      case .run(let set, let min, let max, let greed):
        if let end = try runSet(set, min, max, greed, pc, position) {
          (pc, position) = (pc + 1, end)
        } else {
          failed = true
        }
      case .split(let first, let second):
        try push(.resume, second, position)
        pc = first
      case .jump(let target): pc = target
      case .look(let end, let behind, let negative):
        if try look(pc + 1, position, behind: behind) != negative { pc = end } else { failed = true }
      case .atomic(let end):
        if let next = try run(from: pc + 1, at: position) {
          (pc, position) = (end, next)
        } else {
          failed = true
        }
      case .assert(let assertion):
        if holds(assertion, at: position) { pc += 1 } else { failed = true }
      case .mark(let slot):
        try push(.restore, slot, slots[slot])
        slots[slot] = position
        pc += 1
      case .leaveIfEmpty(let slot, let exit): pc = slots[slot] == position ? exit : pc + 1
      }
      if failed {
        guard let next = backtrack(to: bottom) else { return nil }
        (pc, position) = next
      }
    }
  }

  /// Takes the latest choice that is open.
  private mutating func backtrack(to bottom: Int) -> (pc: Int, position: Int)? {
    while choices.count > bottom {
      let top = choices.count - 1
      let choice = choices[top]
      switch choice.kind {
      case .resume:
        choices.removeLast()
        return (choice.instruction, choice.position)
      case .shrink:
        let position = text.before(choice.position)
        if position <= choice.limit { choices.removeLast() } else { choices[top].position = position }
        return (choice.instruction, position)
      case .grow(let set):
        choices.removeLast()
        guard choice.limit > 0, choice.position < text.end else { continue }
        let (value, next) = text.scalar(at: choice.position)
        guard program.sets[set].contains(value, text.classes) else { continue }
        choices.append(
          Choice(
            kind: choice.kind, instruction: choice.instruction, position: next, limit: choice.limit - 1))
        return (choice.instruction, next)
      case .restore:
        choices.removeLast()
        slots[choice.instruction] = choice.position
      }
    }
    return nil
  }

  /// Matches a repeated set; leaves a choice for what it could also have matched.
  private mutating func runSet(
    _ index: Int, _ min: Int, _ max: Int, _ greed: RegexNode.Greed, _ pc: Int, _ start: Int
  ) throws(IngotError) -> Int? {
    let set = program.sets[index]
    let wanted = greed == .lazy ? min : max
    var (position, count, floor) = (start, 0, start)
    while count < wanted, position < text.end {
      let (value, next) = text.scalar(at: position)
      guard set.contains(value, text.classes) else { break }
      position = next
      count += 1
      if count == min { floor = position }
    }
    steps -= count / 8
    guard count >= min else { return nil }
    switch greed {
    case .greedy: if position > floor { try push(.shrink, pc + 1, position, limit: floor) }
    case .lazy: if max > min { try push(.grow(set: index), pc + 1, position, limit: max - min) }
    case .possessive: break
    }
    return position
  }

  private mutating func look(_ start: Int, _ position: Int, behind: Int?) throws(IngotError) -> Bool {
    var origin = position
    for _ in 0..<(behind ?? 0) {
      guard origin > 0 else { return false }
      origin = text.before(origin)
    }
    return try run(from: start, at: origin) != nil
  }

  private func holds(_ assertion: RegexNode.Assertion, at position: Int) -> Bool {
    switch assertion {
    case .textStart: position == 0
    case .textEnd: position == text.end
    case .textEndOrFinalNewline:
      position == text.end || (position == text.end - 1 && text.base[position] == 0x0A)
    // Ruby's anchors know lines; there is none after a final newline.
    case .lineStart: position == 0 || (position < text.end && text.base[position - 1] == 0x0A)
    case .lineEnd: position == text.end || text.base[position] == 0x0A
    case .wordBoundary: isWord(before: position) != isWord(at: position)
    case .notWordBoundary: isWord(before: position) == isWord(at: position)
    }
  }

  private func isWord(at position: Int) -> Bool {
    guard position < text.end else { return false }
    let value = text.scalar(at: position).value
    return SetExpression.word.contains(value, text.classes[value])
  }

  private func isWord(before position: Int) -> Bool {
    position > 0 && isWord(at: text.before(position))
  }
}
