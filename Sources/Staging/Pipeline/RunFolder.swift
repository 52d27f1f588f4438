import IngotCore

/// The files that runs leave in a run root and a cache folder.
struct RunFolder {
  let root: String
  let cache: String?

  /// What an earlier run left.
  /// - Throws: `.io`.
  func leftovers() throws(IngotError) -> [String] {
    let inRoot = try Files.names(in: root).filter {
      $0 == "run.json" || $0 == "summary.json" || Self.isStep($0)
    }
    var left = inRoot.map { Files.join(root, $0) }
    if let cache {
      left += try Files.names(in: cache).filter { BlockCache.isOurs($0) }.map { Files.join(cache, $0) }
    }
    return left
  }

  private static func isStep(_ name: String) -> Bool {
    name.hasPrefix("step_") && Int(name.dropFirst(5)).map { StepFolder.name($0) == name } == true
  }

  /// Refuses to begin among files of an earlier run.
  /// - Throws: `.argument` naming some of them.
  func requireEmpty() throws(IngotError) {
    let left = try leftovers()
    guard let first = left.first else { return }
    throw IngotError(
      .argument,
      left.count == 1 ? "another run left this file" : "another run left this and \(left.count - 1) others",
      at: .init(file: first), hint: "--resume goes on with it, --clean removes it")
  }

  /// Removes what an earlier run left, and nothing else.
  /// - Throws: `.io`.
  func clean() throws(IngotError) {
    // The record goes last: a run without one cannot be resumed by mistake.
    for path in try leftovers().reversed() {
      guard Files.isFolder(path) else {
        try Files.remove(path)
        continue
      }
      for name in try Files.names(in: path) where StepFolder.isOurs(name) {
        try Files.remove(Files.join(path, name))
      }
      Files.removeEmptyFolder(path)
    }
  }

  /// Records of the steps that are whole, from the first on.
  /// - Throws: `.io`, `.format`.
  func wholeSteps() throws(IngotError) -> [StepRecord] {
    var records: [StepRecord] = []
    while let record = try StepRecord(path: StepFolder(root: root, step: records.count).record) {
      records.append(record)
    }
    return records
  }
}
