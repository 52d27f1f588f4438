import Foundation
import IngotCore
import Testing

/// The path of a golden file.
func fixture(_ name: String) -> String {
  Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name)").path
}

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: path))) }

/// Bytes as if they were a file.
func mapped(_ bytes: [UInt8], name: String = "in-memory") throws -> MappedFile {
  let result: Result<MappedFile, IngotError> = bytes.withUnsafeBytes { buffer in
    do throws(IngotError) { return .success(try MappedFile(copying: buffer, name: name)) } catch {
      return .failure(error)
    }
  }
  return try result.get()
}

/// A folder of its own that goes away with the last reference.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "ingot-checkpoints-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and gives its path.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
}

/// Expects an error of a kind whose message, place and hint contain some texts.
func expectFailure<T>(
  _ kind: IngotError.Kind, _ texts: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> T
) {
  do {
    _ = try body()
    Issue.record("no error", sourceLocation: sourceLocation)
  } catch let error as IngotError {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    for text in texts {
      #expect(error.description.contains(text), "\(error) lacks \(text)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
}

/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
