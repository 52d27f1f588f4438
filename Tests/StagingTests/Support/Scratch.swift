import Foundation
import IngotCore
import Staging
import Testing

/// A folder that goes with its owner.
final class Scratch {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("ingot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static func / (folder: Scratch, name: String) -> String { folder.path + "/" + name }

  /// All files below a path with their bytes.
  static func contents(_ path: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in FileManager.default.enumerator(atPath: path)?.allObjects ?? [] {
      guard let name = name as? String else { continue }
      let file = path + "/" + name
      if !Files.isFolder(file) { files[name] = try Data(contentsOf: URL(fileURLWithPath: file)) }
    }
    return files
  }
}

extension StageText {
  /// Without tokenizer.
  static func plain(eos: Set<Int> = [], padding: Int = 0) -> StageText {
    StageText(tokenizer: nil, eosIDs: eos, paddingID: padding)
  }
}

/// The bits of a tensor, with its form.
struct Bits: Equatable {
  let dtype: DType, dims: [Int], bytes: [UInt8]

  init(_ tensor: HostTensor) { (dtype, dims, bytes) = (tensor.dtype, tensor.shape.dims, Array(tensor.bytes)) }
  init(_ path: String) throws { self.init(try NPY.read(path: path)) }
}

/// Runs `body`, which must fail with an error of a kind whose text has all of the words.
func expectError(
  _ kind: IngotError.Kind, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error, expected \(kind)", sourceLocation: sourceLocation)
  } catch let error as IngotError {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    for word in words {
      #expect("\(error)".contains(word), "\"\(word)\" is not in: \(error)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
}
