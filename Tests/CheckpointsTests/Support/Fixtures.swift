import Foundation
import IngotCore
import Testing

/// The path of a golden file.
func fixture(_ name: String) -> String {
  Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name)").path
}

/// Bytes as if they were a file.
func mapped(_ bytes: [UInt8], name: String = "in-memory") throws -> MappedFile {
  let result: Result<MappedFile, IngotError> = bytes.withUnsafeBytes { buffer in
    do throws(IngotError) { return .success(try MappedFile(copying: buffer, name: name)) } catch {
      return .failure(error)
    }
  }
  return try result.get()
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
