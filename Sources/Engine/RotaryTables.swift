internal import Checkpoints
internal import IngotCore

/// The tables of cosines and sines that rope steps read, by name.
///
/// A name has one table, or, where the angles depend on a sequence's planned length, one per length in use.
/// A sequence picks its table when it starts and keeps it, so that the rows of its cache never mix tables.
final class RotaryTables: @unchecked Sendable {
  /// What a table's angles follow from.
  struct Source: Sendable {
    var parameters: RopeParameters
    var headDim: Int
    /// The context length of the model's configuration.
    var maxPositions: Int

    func angles(plannedLength: Int) throws(IngotError) -> RotaryFrequencies {
      try RotaryFrequencies(
        parameters, headDim: headDim, maxPositions: maxPositions, plannedLength: plannedLength)
    }
  }

  /// Different tables that can be in use at a time.
  static let capacity = 64

  private struct Entry {
    let name: String
    let source: Source
    let pointers: UnsafeMutablePointer<UnsafePointer<Float>?>
  }

  private let maximumPositions: Int
  private let sources: [String: Source]
  private var entries: [Entry] = []
  /// Angles of each table index, and how many sequences use it.
  private(set) var variants: [(angles: [RotaryFrequencies], users: Int)] = []
  private var tables: [RotaryFrequencies: RotaryTable] = [:]
  /// Bytes of the tables when all positions are in use.
  private(set) var byteCount = 0
  /// Positions whose rows are there.
  private var covered = 0

  init(maximumPositions: Int, sources: [String: Source]) {
    self.maximumPositions = maximumPositions
    self.sources = sources
  }

  deinit { for entry in entries { entry.pointers.deallocate() } }

  /// The index of a name among the tables steps refer to.
  func index(of name: String, rotaryDim: Int, place: String) throws(IngotError) -> Int {
    if let known = entries.firstIndex(where: { $0.name == name }) { return known }
    guard let source = sources[name] else {
      throw IngotError(
        .argument, "no angles are given for the rotary table \"\(name)\"", at: .init(line: place),
        hint: "pass them in NetworkOptions.rotary")
    }
    let angles = try source.angles(plannedLength: maximumPositions)
    guard angles.inverseFrequencies.count * 2 == rotaryDim else {
      throw IngotError(
        .shape,
        "the rotary table \"\(name)\" has \(angles.inverseFrequencies.count) pairs, the graph needs \(rotaryDim / 2)",
        at: .init(line: place))
    }
    let pointers = UnsafeMutablePointer<UnsafePointer<Float>?>.allocate(capacity: Self.capacity)
    pointers.initialize(repeating: nil, count: Self.capacity)
    entries.append(Entry(name: name, source: source, pointers: pointers))
    return entries.count - 1
  }

  /// The array of table addresses a rope step reads.
  func pointers(_ index: Int) -> UnsafePointer<UnsafePointer<Float>?> {
    UnsafePointer(entries[index].pointers)
  }

  /// Picks the tables of a sequence planned to have so many tokens.
  /// - Returns: the index that the sequence's tokens carry.
  /// - Throws: `.limit` when too many different ones are in use, `.memory`.
  func acquire(plannedLength: Int) throws(IngotError) -> Int {
    let wanted = try angles(plannedLength: plannedLength)
    if let known = variants.firstIndex(where: { $0.angles == wanted }) {
      variants[known].users += 1
      return known
    }
    let index = variants.firstIndex { $0.users == 0 } ?? variants.count
    guard index < Self.capacity else {
      throw IngotError(.limit, "sequences of more than \(Self.capacity) different planned lengths at once")
    }
    var addresses: [UnsafePointer<Float>] = []
    for angles in wanted { addresses.append(try table(angles)) }
    for (entry, address) in zip(entries, addresses) { entry.pointers[index] = address }
    if index == variants.count { variants.append((wanted, 1)) } else { variants[index] = (wanted, 1) }
    return index
  }

  /// The names steps refer to.
  var names: [String] { entries.map(\.name) }

  /// The angles of each name for a planned length.
  func angles(plannedLength: Int) throws(IngotError) -> [RotaryFrequencies] {
    var angles: [RotaryFrequencies] = []
    for entry in entries { angles.append(try entry.source.angles(plannedLength: plannedLength)) }
    return angles
  }

  /// Another sequence uses an index.
  func retain(_ index: Int) { variants[index].users += 1 }

  /// Gives an index back. Its tables stay until the index is needed for others.
  func release(_ index: Int) { variants[index].users -= 1 }

  /// Makes the rows of positions below `count`, which may be read from then on.
  /// - Precondition: `count` is at most the most positions, and no forward runs.
  func cover(_ count: Int) {
    guard count > covered else { return }
    // A few rows ahead, so that decoding seldom stops for it.
    covered = min(maximumPositions, (count + Self.ahead - 1) / Self.ahead * Self.ahead)
    for table in tables.values { table.cover(covered) }
  }

  private static let ahead = 256

  private func table(_ angles: RotaryFrequencies) throws(IngotError) -> UnsafePointer<Float> {
    if let known = tables[angles] { return known.rows }
    if tables.count >= Self.capacity {
      let used = Set(variants.filter { $0.users > 0 }.flatMap(\.angles))
      tables = tables.filter { used.contains($0.key) }
    }
    let table = try RotaryTable(angles, positions: maximumPositions)
    table.cover(covered)
    tables[angles] = table
    byteCount = tables.values.reduce(0) { $0 + $1.byteCount }
    return table.rows
  }
}
